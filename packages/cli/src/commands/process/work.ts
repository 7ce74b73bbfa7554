import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type Job, type JobOutcome } from "@tutti/kernel";
import type { Command } from "../../command.ts";
import { ensureOwner } from "../../owner/find.ts";
import { withOption } from "../../process/load.ts";
import { typesOf, workOn } from "../../process/program-worker.ts";
import { shortOption } from "../../process/short-option.ts";
import { workFor } from "../../process/worker.ts";
import { actor } from "../../run/actor.ts";

const againMs = 500;

export const processWork: Command = {
  name: "process work",
  summary: "Does jobs of processes by a program, until Ctrl-C.",
  about:
    'For each job the command is run with the job\'s input on stdin as JSON; what it prints on stdout is the result, a JSON object. Exit status 0: done. 3: the BPMN error {"code", "message"} that stdout has is thrown. Any other: it failed, with the last lines of stderr, and is tried again as the definition says. The environment says which job it is: TUTTI_JOB, TUTTI_JOB_TYPE, TUTTI_INSTANCE, TUTTI_ELEMENT, TUTTI_ATTEMPT, TUTTI_HEADERS, and TUTTI_FENCING_TOKEN, by which a late writer can be told. With a FILE it does the jobs of all types in it. Several may work on the same types: each job goes to the one that has the fewest. A job whose worker dies is offered again. Ctrl-C lets what is under way end; a second one stops it.',
  options: {
    run: { value: "COMMAND", help: "what does a job; run by /bin/sh in this folder" },
    jobs: { value: "N", help: "at most so many jobs of each type at once (default: 1)" },
    ...shortOption,
    ...withOption,
  },
  arguments: [
    { name: "TYPE|FILE", help: "a type of job, or a definition with the types", required: true, repeated: true },
  ],
  examples: [
    "tutti process work payment.charge --run ./charge.sh",
    "tutti process work order.yaml --run 'python worker.py' --jobs 4",
  ],
  async run(context) {
    const { input, out, interrupt } = context;
    const command = input.text("run");
    if (command === undefined) throw new AppError("command-needed", "Expected --run COMMAND, but there is none");
    const concurrency = input.number("jobs", { min: 1, max: 1_000 }) ?? 1;
    const jobTypes = await typesOf(context);
    const work = (job: Job, signal: AbortSignal): Promise<JobOutcome> => workOn(context, { job, command, signal });
    const onHired = (): void => out.note(`Does jobs of ${jobTypes.join(", ")}. Ctrl-C ends.`);
    const hire = { jobTypes, concurrency, short: input.flag("short"), actor: actor() };
    while (!interrupt.aborted) {
      const { client } = await ensureOwner(context.state);
      if (await workFor(client, { hire, work, drain: interrupt, onHired })) break;
      if (interrupt.aborted) break;
      out.note("The owner has ended; the jobs that were under way begin anew.");
      await sleep(againMs, undefined, { signal: interrupt }).catch(() => undefined);
    }
    return 0;
  },
};
