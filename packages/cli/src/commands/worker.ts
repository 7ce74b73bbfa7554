import { once } from "node:events";
import type { WorkOptions } from "@tutti/engine";
import type { Release } from "@tutti/engine/temporal";
import { AppError, type JobHandler, type QueueClass, queueClasses } from "@tutti/kernel";
import type { Command, Context } from "../command.ts";
import type { OpenTemporal } from "../engines/open-temporal.ts";
import { patiently } from "../engines/patience.ts";
import { wholePlace } from "../engines/place.ts";
import { graceMsOf, graceOption, sayStopping } from "../owner/grace.ts";
import { terminalLog } from "../owner/log.ts";
import { withOption } from "../process/load.ts";
import { shortOption } from "../process/short-option.ts";

export const worker: Command = {
  name: "worker",
  summary: "Works for Temporal beside others: on workflows, agents and checks of runs, and by a program on jobs.",
  about:
    "Any number of them, on any machine that reaches Temporal and the PostgreSQL with the log (--store, $TUTTI_STORE or tutti.json); no owner is needed. Where machines have a store of artifacts in common ($TUTTI_ARTIFACTS or tutti.json) it runs agents and checks of feature runs: it needs their programs, and no repository. What needs the repository is done by the owner of the state folder that has it. With --run it does jobs of the given types instead, as `tutti process work` does. Ctrl-C lets what is under way end within the grace time; a second one stops it.",
  options: {
    queue: {
      value: "CLASS",
      repeated: true,
      help: `only jobs of this class: ${queueClasses.join(", ")} (default: all)`,
    },
    run: { value: "COMMAND", help: "what does a job; run by /bin/sh in this folder" },
    jobs: {
      value: "N",
      help: "at most so many jobs of each type at once (default: 1 by --run, else as many as the classes have slots)",
    },
    ...shortOption,
    release: {
      value: "NAME",
      help: "of its workflows: an instance stays with workers of the release that it began under (default: none)",
    },
    current: { help: "new instances begin under this release from now on" },
    ...graceOption,
    ...withOption,
  },
  arguments: [{ name: "TYPE|FILE", help: "a type of job, or a definition with the types", repeated: true }],
  examples: [
    "tutti worker",
    "tutti worker --queue heavy",
    "tutti worker --release 2.1.0 --current",
    "tutti worker payment.charge --run ./charge.sh --queue light --jobs 4",
  ],
  async run(context) {
    const { input, out, state, interrupt } = context;
    const graceMs = graceMsOf(input);
    const queues = queuesOf(input.list("queue"));
    const release = releaseOf(context);
    const command = input.text("run");
    if ((command === undefined) !== (input.arguments().length === 0)) {
      throw new AppError(
        "command-needed",
        "Expected types of jobs together with --run COMMAND, but there is one alone",
      );
    }
    if (input.flag("short") && command === undefined) {
      throw new AppError("option-invalid", "Expected --short together with --run COMMAND, but there is none");
    }
    if (state.store === undefined) {
      throw new AppError(
        "worker-alone",
        "Expected a PostgreSQL with the log, but it is in the state folder's own file",
      );
    }
    const { openTemporal } = await import("../engines/open-temporal.ts");
    const place = wholePlace(state.temporal, state);
    const crew = command === undefined ? await features(context) : await programs(context, command);
    const log = terminalLog((line) => out.note(line.trimEnd()));
    let close: OpenTemporal["close"] | undefined;
    try {
      const opened = await patiently(state.patience, () => openTemporal({ state, place, log, queues, ...release }));
      close = opened.close;
      const jobTypes = Object.keys(crew.handlers).sort();
      for (const [jobType, work] of Object.entries(crew.handlers)) opened.engine.work(jobType, work, crew.options);
      tell(context, { ...place, ...release, jobTypes, queues });
      if (!interrupt.aborted) await once(interrupt, "abort");
      sayStopping({ out }, graceMs);
    } finally {
      await close?.(graceMs);
      await crew.close();
    }
    return 0;
  },
};

/** What this worker does besides workflows. */
interface Crew {
  readonly handlers: { readonly [jobType: string]: JobHandler };
  readonly options: WorkOptions;
  close(): Promise<void>;
}

/** Nothing where there is no store of artifacts. */
async function features(context: Context): Promise<Crew> {
  const [{ openFeatureWorker }, { told }] = await Promise.all([
    import("../process/feature-worker.ts"),
    import("../process/program-worker.ts"),
  ]);
  const worker = await openFeatureWorker(context);
  const concurrency = jobsAtOnce(context);
  const options = concurrency === undefined ? {} : { concurrency };
  const handlers = Object.entries(worker?.handlers ?? {}).map(([jobType, handler]): [string, JobHandler] => [
    jobType,
    (job, at) => told(context, { job, signal: at.signal }, () => handler(job, at)),
  ]);
  return { handlers: Object.fromEntries(handlers), options, close: async () => worker?.close() };
}

async function programs(context: Context, command: string): Promise<Crew> {
  const { typesOf, workOn } = await import("../process/program-worker.ts");
  const work: JobHandler = (job, { signal }) => workOn(context, { job, command, signal });
  const handlers = Object.fromEntries((await typesOf(context)).map((jobType) => [jobType, work]));
  const options = { concurrency: jobsAtOnce(context) ?? 1, short: context.input.flag("short") };
  return { handlers, options, close: async () => undefined };
}

function jobsAtOnce({ input }: Context): number | undefined {
  return input.number("jobs", { min: 1, max: 1_000 });
}

function releaseOf({ input }: Context): { readonly release?: Release } {
  const [name, current] = [input.text("release"), input.flag("current")];
  if (name !== undefined) return { release: { name, current } };
  if (!current) return {};
  throw new AppError("option-invalid", "Expected --release NAME with --current, but there is none");
}

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
    readonly release?: Release;
  },
): void {
  const { address, namespace, taskQueue, jobTypes, queues, release } = working;
  const current = release?.current === true ? ", which is current" : "";
  const of = release === undefined ? "" : ` in release ${release.name}${current}`;
  const jobs = jobTypes.length === 0 ? "" : `, and jobs of ${jobTypes.join(", ")} (${queues.join(", ")})`;
  out.note(
    `Works for Temporal at ${address}, namespace ${namespace}, on workflows of ${taskQueue}${of}${jobs}. Ctrl-C ends.`,
  );
  out.line({ type: "working", pid: process.pid, ...working });
}
