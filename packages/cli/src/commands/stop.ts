import { setTimeout as sleep } from "node:timers/promises";
import { currentOwner } from "@tutti/engine";
import { AppError } from "@tutti/kernel";
import type { Health } from "@tutti/protocol";
import type { Command, Context } from "../command.ts";
import { findOwner } from "../owner/find.ts";
import { graceMsOf, graceOption } from "../owner/grace.ts";
import { wordsOf } from "../run/words.ts";
import { plural } from "../terminal/text.ts";
import { notedAddress } from "../up/ports.ts";

const marginMs = 15_000;

export const stop: Command = {
  name: "stop",
  summary: "Stops the owner of the state folder. What is open goes on with the next owner, from where they were.",
  options: graceOption,
  arguments: [],
  async run(context) {
    const { input, out } = context;
    const graceMs = graceMsOf(input);
    const { pid, open } = await stopOwner(context, graceMs);
    // What began on a server of the folder's own needs that server again.
    const own = context.state.temporal?.address === undefined && notedAddress(context.state.path) !== undefined;
    const next = open > 0 ? `\n→ ${wordsOf(context).tutti(own ? "up" : "serve")}` : "";
    out.text(`Stopped process ${pid}.${open > 0 ? ` ${plural(open, "open instance")} can go on.` : ""}${next}`);
    out.document({ stopped: pid, open });
    return 0;
  },
};

/** Resolves when the folder is free. Rejects with `owner-none` or `owner-silent`. */
export async function stopOwner({ state }: Pick<Context, "state">, graceMs: number): Promise<Health> {
  const client = await findOwner(state);
  if (client === undefined) throw new AppError("owner-none", `Expected an owner of ${state.path}, but there is none`);
  const health = await client.health();
  await client.json({ method: "POST", path: `/v1/stop?graceMs=${graceMs}` });
  const deadline = Date.now() + graceMs + marginMs;
  while (currentOwner(state.path)?.pid === health.pid) {
    if (Date.now() > deadline) throw new AppError("owner-silent", `Process ${health.pid} still owns ${state.path}`);
    await sleep(30);
  }
  return health;
}
