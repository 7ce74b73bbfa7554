import type { Finish, Trial, TrialInstance } from "@tutti/testing";
import type { Output } from "../terminal/output.ts";
import { elapsedTime } from "./story.ts";
import { whyWaiting } from "./waits.ts";

interface Tried {
  readonly trial: Trial;
  readonly instance: TrialInstance;
  readonly finish: Finish;
  /** Epoch ms. */
  readonly begunAt: number;
}

/** Says how a trial ended, and gives the exit status. */
export function report(out: Output, tried: Tried): number {
  const { trial, instance, finish, begunAt } = tried;
  const { view } = instance;
  const open = trial.instances.filter(({ hasEnded }) => !hasEnded);
  const waiting = open.flatMap(({ process, view: { waiting } }) => waiting.map((each) => ({ process, ...each })));
  const incidents = open.flatMap(({ process, view: { incidents } }) => incidents.map((each) => ({ process, ...each })));
  const refusals = trial.refusals.map(({ question, reason }) => ({ element: question.element, reason }));
  const exit = exitOf(tried);
  const { status, outcome, variables } = view;
  const ms = (trial.lastEventAt ?? begunAt) - begunAt;
  const unused = trial.unused();
  out.line({ type: "result", status, finish, outcome, variables, waiting, incidents, unused, refusals, ms, exit });

  out.text("");
  out.text(`${view.process} ${sentence(out, tried)} after ${elapsedTime(ms)}.`);
  for (const { process, element, item, reason, until, advice } of waiting) {
    const where = [
      process === view.process ? "" : `${process}: `,
      element ?? process,
      item === null ? "" : `[${item}]`,
    ];
    out.text(`  ${out.style.bold(where.join(""))}: ${whyWaiting({ reason, until })}`);
    if (advice !== undefined) out.text(out.style.dim(`    → ${advice}`));
  }
  for (const name of new Set(trial.unanswered.map(({ element, jobType }) => jobType ?? element))) {
    out.text(`→ Give '${name}' an answer with --answers FILE, or \`ignore: true\`.`);
  }
  for (const { element, reason } of refusals)
    out.text(`  ${out.style.yellow("refused")} answer of ${element}: ${reason}`);
  if (unused.length > 0) out.text(`Never used: ${unused.join("; ")}.`);
  return exit;
}

function sentence(out: Output, { instance, finish }: Tried): string {
  const { green, red, yellow } = out.style;
  const { outcome } = instance.view;
  if (outcome?.type === "completed") return `${green("completed")} with ${JSON.stringify(outcome.result)}`;
  if (outcome?.type === "failed") return `${red("failed")} (${outcome.error.code}: ${outcome.error.message})`;
  if (outcome?.type === "cancelled") return `${red("was cancelled")} (${outcome.reason})`;
  if (finish === "interrupted") return yellow("was interrupted");
  return finish === "limit" ? red("did not come to an end") : yellow("waits");
}

function exitOf({ instance, finish }: Tried): number {
  const { outcome } = instance.view;
  if (outcome?.type === "failed" || finish === "limit") return 1;
  if (outcome?.type === "cancelled" || finish === "interrupted") return 7;
  return outcome === null || finish === "waiting" ? 8 : 0;
}
