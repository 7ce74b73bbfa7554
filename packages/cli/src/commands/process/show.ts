import type { InstanceView } from "@tutti/kernel";
import type { Command, Context } from "../../command.ts";
import { instanceArgument } from "../../process/send.ts";
import { type OpenJob, openJobs, valueText, waitLine, waysOn } from "../../process/waits.ts";
import { withAccess } from "../../run/access.ts";
import { instanceNamed } from "../../run/instance-id.ts";
import { wordsOf } from "../../run/words.ts";
import { duration, quote } from "../../terminal/text.ts";

export const processShow: Command = {
  name: "process show",
  summary: "Shows an instance of a process: its variables, what it waits for, its open jobs, and what to type.",
  options: {},
  arguments: [instanceArgument],
  examples: ["tutti process show order-17", "tutti process show order-17 --json"],
  run: (context) =>
    withAccess(context, async ({ reader, live, jobTypes }) => {
      const view = await instanceNamed(reader, context.input.argument(0) ?? "");
      const jobs = await openJobs(reader, view, jobTypes);
      const next = waysOn(view, jobs);
      context.out.document({ ...view, live, jobs, next });
      print(context, { view, jobs, next, live });
      return 0;
    }),
};

interface Shown {
  readonly view: InstanceView;
  readonly jobs: readonly OpenJob[];
  readonly next: readonly string[];
  readonly live: boolean;
}

function print(context: Context, { view, jobs, next, live }: Shown): void {
  const { out, state } = context;
  const { instanceId, process, version, businessKey, status, startedAt, endedAt, waiting } = view;
  const key = businessKey === null ? "" : `, key ${businessKey}`;
  const took = duration((endedAt ?? Date.now()) - startedAt);
  out.text(`${out.style.bold(instanceId)}: ${process}@${version}${key}, ${status} after ${took}`);
  for (const [name, value] of Object.entries(view.variables)) {
    out.text(`  ${name} = ${valueText(value, out.columns - name.length - 5)}`);
  }
  if (view.outcome !== null) return out.text(outcomeText(view.outcome));
  for (const wait of waiting) out.text(`  ${waitLine(wait, process)}`);
  for (const { jobType, id, input, worker } of jobs) {
    const who = worker === false ? " Nobody here works on jobs of this type: it waits until it is done by hand." : "";
    out.text(`  job ${id} (${jobType}) ${valueText(input, out.columns)}${who}`);
  }
  const { tutti } = wordsOf(context);
  for (const way of next) out.text(`→ ${tutti(way)}`);
  if (!live) out.note(`No process owns ${state.path}: no timer fires.\n→ ${tutti("serve")}`);
  else out.note(`→ ${tutti(`process log ${quote(instanceId)}`)}`);
}

function outcomeText(outcome: NonNullable<InstanceView["outcome"]>): string {
  if (outcome.type === "completed") return `completed with ${JSON.stringify(outcome.result)}`;
  if (outcome.type === "failed") return `failed (${outcome.error.code}): ${outcome.error.message}`;
  return `cancelled: ${outcome.reason}`;
}
