import { once } from "node:events";
import { AppError, type JobHandler, type QueueClass, queueClasses } from "@tutti/kernel";
import type { Command, Context } from "../command.ts";
import { patiently } from "../engines/patience.ts";
import { wholePlace } from "../engines/place.ts";
import { graceMsOf, graceOption, sayStopping } from "../owner/grace.ts";
import { terminalLog } from "../owner/log.ts";
import { withOption } from "../process/load.ts";

export const worker: Command = {
  name: "worker",
  summary: "Works for Temporal beside others: on workflows, and by a program on jobs.",
  about:
    "Any number of them, on any machine that reaches Temporal and the PostgreSQL with the log (--store, $TUTTI_STORE or tutti.json); no owner is needed. With --run it does jobs of the given types as `tutti process work` does. Jobs of feature runs are done by the owner of their state folder, which has their repositories. Ctrl-C lets what is under way end within the grace time; a second one stops it.",
  options: {
    queue: {
      value: "CLASS",
      repeated: true,
      help: `only jobs of this class: ${queueClasses.join(", ")} (default: all)`,
    },
    run: { value: "COMMAND", help: "what does a job; run by /bin/sh in this folder" },
    jobs: { value: "N", help: "at most so many jobs of each type at once (default: 1)" },
    ...graceOption,
    ...withOption,
  },
  arguments: [{ name: "TYPE|FILE", help: "a type of job, or a definition with the types", repeated: true }],
  examples: ["tutti worker", "tutti worker payment.charge --run ./charge.sh --queue light --jobs 4"],
  async run(context) {
    const { input, out, state, interrupt } = context;
    const graceMs = graceMsOf(input);
    const concurrency = input.number("jobs", { min: 1, max: 1_000 }) ?? 1;
    const queues = queuesOf(input.list("queue"));
    const command = input.text("run");
    if ((command === undefined) !== (input.arguments().length === 0)) {
      throw new AppError(
        "command-needed",
        "Expected types of jobs together with --run COMMAND, but there is one alone",
      );
    }
    if (state.store === undefined) {
      throw new AppError(
        "worker-alone",
        "Expected a PostgreSQL with the log, but it is in the state folder's own file",
      );
    }
    const [{ openTemporal }, { typesOf, workOn }] = await Promise.all([
      import("../engines/open-temporal.ts"),
      import("../process/program-worker.ts"),
    ]);
    const jobTypes = command === undefined ? [] : await typesOf(context);
    const place = wholePlace(state.temporal, state);
    const log = terminalLog((line) => out.note(line.trimEnd()));
    const { engine, close } = await patiently(state.patience, () => openTemporal({ state, place, log, queues }));
    try {
      for (const jobType of jobTypes) {
        const work: JobHandler = (job, { signal }) => workOn(context, { job, command: command ?? "", signal });
        engine.work(jobType, work, { concurrency });
      }
      tell(context, { ...place, jobTypes, queues });
      if (!interrupt.aborted) await once(interrupt, "abort");
      sayStopping({ out }, graceMs);
    } finally {
      await close(graceMs);
    }
    return 0;
  },
};

function queuesOf(given: readonly string[]): readonly QueueClass[] {
  const unknown = given.find((name) => !queueClasses.some((queue) => queue === name));
  if (unknown !== undefined) {
    throw new AppError(
      "option-invalid",
      `Expected --queue to be one of ${queueClasses.join(", ")}, but got '${unknown}'`,
    );
  }
  const found = queueClasses.filter((queue) => given.includes(queue));
  return found.length === 0 ? queueClasses : found;
}

function tell(
  { out }: Context,
  working: {
    readonly address: string;
    readonly namespace: string;
    readonly taskQueue: string;
    readonly jobTypes: readonly string[];
    readonly queues: readonly QueueClass[];
  },
): void {
  const { address, namespace, taskQueue, jobTypes, queues } = working;
  const jobs = jobTypes.length === 0 ? "" : `, and jobs of ${jobTypes.join(", ")} (${queues.join(", ")})`;
  out.note(
    `Works for Temporal at ${address}, namespace ${namespace}, on workflows of ${taskQueue}${jobs}. Ctrl-C ends.`,
  );
  out.line({ type: "working", pid: process.pid, ...working });
}
