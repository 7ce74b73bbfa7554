import type { QueueRow } from "@tutti/engine";
import { AppError, queueClasses } from "@tutti/kernel";
import type { Command, Context } from "../command.ts";
import { ensureOwner } from "../owner/find.ts";
import { actor } from "../run/actor.ts";
import { steer } from "../run/steer.ts";
import { table } from "../terminal/text.ts";
import { runArgument } from "./arguments.ts";

const slotsMax = 10_000;

export const adjust: Command = {
  name: "adjust",
  summary: "Changes how much runs at once, at once: units of a run, or slots of a queue. Running work is not ended.",
  options: {
    "max-parallel": { value: "N", help: "at most this many units of the run at once; `all` for no limit" },
    queue: { value: "CLASS=N", repeated: true, help: `slots of a queue for all runs: ${queueClasses.join(", ")}` },
  },
  arguments: [runArgument],
  examples: ["tutti adjust --max-parallel 8", "tutti adjust --queue heavy=3"],
  async run(context) {
    const { input } = context;
    const queues = input.list("queue").map(parseQueue);
    const limit = input.text("max-parallel");
    if (queues.length === 0 && limit === undefined) {
      throw new AppError("input-needed", "Expected --max-parallel N or --queue CLASS=N, but there is neither");
    }
    const maxParallel = limit === "all" ? null : (input.number("max-parallel", { min: 1, max: 1_000 }) ?? null);
    if (queues.length > 0) await adjustQueues(context, queues, limit === undefined);
    if (limit === undefined) return 0;
    return steer(context, input.argument(0), { type: "adjust", maxParallel, actor: actor() });
  },
};

interface Slots {
  readonly queue: string;
  readonly slots: number;
}

function parseQueue(text: string): Slots {
  const [, name = "", number = ""] = /^([a-z]+)=(\d{1,6})$/.exec(text) ?? [];
  const queue = queueClasses.find((known) => known === name);
  if (queue !== undefined && Number(number) <= slotsMax) return { queue, slots: Number(number) };
  throw new AppError(
    "option-invalid",
    `Expected --queue ${queueClasses.join("|")}=N with N from 0 to ${slotsMax}, but got '${text}'`,
  );
}

async function adjustQueues({ out, state }: Context, queues: readonly Slots[], last: boolean): Promise<void> {
  const { client } = await ensureOwner(state);
  for (const { queue, slots } of queues) {
    await client.json({ method: "PUT", path: `/v1/queues/${queue}`, body: { slots } });
  }
  const page = (await client.json({ method: "GET", path: "/v1/queues" })) as { readonly rows: readonly QueueRow[] };
  if (last) out.document({ queues: page.rows });
  const rows = page.rows.map(({ queue, slots, running, waiting }) => [
    queue,
    String(slots),
    String(running),
    String(waiting),
  ]);
  out.text(table([["QUEUE", "SLOTS", "RUNNING", "WAITING"], ...rows]));
}
