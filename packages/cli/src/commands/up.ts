import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@tutti/kernel";
import type { Command, Context } from "../command.ts";
import { patiently } from "../engines/patience.ts";
import { graceMsOf, graceOption, stopWhenInterrupted } from "../owner/grace.ts";
import { terminalLog } from "../owner/log.ts";
import type { Owner } from "../owner/owner.ts";
import { codeOf } from "../problem.ts";
import { wordsOf } from "../run/words.ts";
import { table } from "../terminal/text.ts";
import type { DevServer } from "../up/dev-server.ts";
import { usualAddress } from "../up/ports.ts";

const readyMsMax = 60_000;

export const up: Command = {
  name: "up",
  summary: "Runs all that Temporal needs on one machine: its server, unless one is configured, and who works for it.",
  about:
    "The server is found on the PATH or in the cache, or built once, which takes minutes and needs Go. It keeps what it has in the state folder. Ctrl-C or `tutti stop` lets running jobs end within the grace time, then ends the server; what is open goes on with the next `tutti up`.",
  options: graceOption,
  arguments: [],
  examples: ["tutti up", "tutti demo --engine temporal"],
  async run(context) {
    const graceMs = graceMsOf(context.input);
    const { out, state } = context;
    const { openOwner } = await import("../owner/owner.ts");
    // The embedded engine alone at first: what an earlier owner left is cleared away before anything is started.
    const { engine: _, ...folder } = state;
    const log = terminalLog((line) => out.note(line.trimEnd()));
    const owner = await openOwner({ state: folder, log });
    try {
      const server = state.temporal?.address === undefined ? await serverOf(context) : undefined;
      owner.endWith(async () => server?.stop());
      await connected(context, owner, server);
      show(context, owner, server);
      stopWhenInterrupted(context, owner, graceMs);
      const lost = await Promise.race([owner.ended, ...(server === undefined ? [] : [failure(server)])]);
      if (lost !== undefined) throw lost;
      return 0;
    } finally {
      await owner.stop(graceMs);
    }
  },
};

async function serverOf({ state, out }: Context): Promise<DevServer> {
  const { startDevServer } = await import("../up/dev-server.ts");
  const { namespace = "default" } = state.temporal ?? {};
  return startDevServer({ statePath: state.path, namespace, tell: (text) => out.note(text) });
}

async function failure(server: DevServer): Promise<Error> {
  const words = await server.died;
  return new AppError("temporal-failed", `Expected the server of Temporal to go on, but it ended: ${words}`);
}

/** A server that was just started needs a moment until it answers; one that is configured should be there. */
async function connected({ state }: Context, owner: Owner, server: DevServer | undefined): Promise<void> {
  if (server === undefined) return patiently(state.patience, () => owner.workForTemporal());
  let died: Error | undefined;
  void failure(server).then((error) => {
    died = error;
  });
  for (const deadline = Date.now() + readyMsMax; ; await sleep(200)) {
    try {
      return await owner.workForTemporal();
    } catch (error) {
      if (died !== undefined) throw died;
      if (codeOf(error) !== "temporal-unreachable" || Date.now() > deadline) throw error;
    }
  }
}

function show(context: Context, { temporal }: Owner, server: DevServer | undefined): void {
  const { out, state } = context;
  const { address, namespace, taskQueue } = temporal;
  const { tutti } = wordsOf(context);
  const web = server === undefined ? "configured" : `started here, web UI ${server.ui}`;
  out.text(
    table([
      ["Temporal", `${address}, namespace ${namespace}`, web],
      ["owner", state.path, `process ${process.pid}`],
      ["worker", taskQueue, "workflows and jobs"],
    ]),
  );
  out.document({ ...temporal, ui: server?.ui ?? null, pid: process.pid, state: state.path });
  // The demo has a folder of its own, too.
  if (address !== usualAddress) out.note(`For other state folders it is at TEMPORAL_ADDRESS=${address}.`);
  out.note(`→ ${tutti("process start PROCESS --engine temporal")}`);
  out.note(`→ ${tutti("stop")}`);
}
