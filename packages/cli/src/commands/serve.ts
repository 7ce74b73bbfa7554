import { closeSync, writeSync } from "node:fs";
import type { Command, Context } from "../command.ts";
import { readyVariable } from "../owner/find.ts";
import { graceMsOf, graceOption, stopWhenInterrupted } from "../owner/grace.ts";
import { fileLog, terminalLog } from "../owner/log.ts";
import type { Serving } from "../owner/owner.ts";
import { openServing } from "../owner/standby.ts";
import { problemOf } from "../problem.ts";

const idleMsDefault = 60_000;

export const serve: Command = {
  name: "serve",
  summary: "Owns the state folder: runs the engine and its workers, and answers every other command.",
  about:
    "Ctrl-C lets running jobs end within the grace time; a second one ends at once. Runs go on with the next owner.",
  options: {
    ...graceOption,
    background: { help: "end when nothing has been open for a minute ($TUTTI_IDLE_MS); how `tutti run` starts it" },
  },
  arguments: [],
  examples: ["tutti serve", "tutti serve --state /var/lib/tutti --grace 60"],
  async run(context) {
    const background = context.input.flag("background");
    const graceMs = graceMsOf(context.input);
    const owner = await open(context, background);
    const { out, state } = context;
    if (!background) {
      const does = owner.waits ? "waits beside the owner of the store of" : "owns";
      out.text(`Tutti ${does} ${state.path} (process ${process.pid}). Ctrl-C stops it.`);
      out.document({ pid: process.pid, state: state.path, socket: state.socket });
    }
    stopWhenInterrupted(context, owner, graceMs);
    const lost = await owner.ended;
    if (lost !== undefined) throw lost;
    return 0;
  },
};

async function open(context: Context, background: boolean): Promise<Serving> {
  const { state, environment, out } = context;
  const ready = Number(environment[readyVariable] ?? "0");
  const idleMs = Number(environment["TUTTI_IDLE_MS"] ?? idleMsDefault);
  // What is started from here on is not to believe that it was started so.
  delete process.env[readyVariable];
  try {
    const log = background ? fileLog(state) : terminalLog((line) => out.note(line.trimEnd()));
    const owner = await openServing({ state, log, ...(background ? { idleMs } : {}) });
    if (ready > 2) closeSync(ready);
    return owner;
  } catch (error) {
    if (ready > 2) {
      writeSync(ready, JSON.stringify(await problemOf(error)));
      closeSync(ready);
    }
    throw error;
  }
}
