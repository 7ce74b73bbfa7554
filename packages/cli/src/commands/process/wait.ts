import { setTimeout as sleep } from "node:timers/promises";
import type { InstanceView, WaitingView } from "@tutti/kernel";
import type { Command, Context } from "../../command.ts";
import { ensureOwner } from "../../owner/find.ts";
import { instanceArgument, instanceHere } from "../../process/send.ts";
import { openJobs, waitLine } from "../../process/waits.ts";
import { type RunAccess, withAccess } from "../../run/access.ts";

const lookEveryMs = 500;

export const processWait: Command = {
  name: "process wait",
  summary: "Waits until an instance has ended, is paused or waits for a person; its exit status says which.",
  about:
    "Timers, messages, signals, called processes and jobs that somebody here works on are waited for, and with a PostgreSQL on Temporal those that somebody elsewhere may. Exit status 0: completed; 1: failed; 7: cancelled, or the time is up; 8: it waits for a person, whose turn is told. Starts an owner when the instance is open and none works on it.",
  options: { timeout: { value: "SECONDS", help: "give up after this long, with exit status 7" } },
  arguments: [instanceArgument],
  examples: [
    "tutti process wait order-17 --timeout 60",
    "tutti process start order --id order-17 && tutti process wait order-17",
  ],
  async run(context) {
    const { input, interrupt } = context;
    const seconds = input.number("timeout", { min: 0, max: 2_000_000, fraction: true });
    const timeout = seconds === undefined ? [] : [AbortSignal.timeout(Math.ceil(seconds * 1_000))];
    const signal = AbortSignal.any([interrupt, ...timeout]);
    const { instanceId, endedAt } = await instanceHere(context);
    if (endedAt === null && !(await isLive(context))) await ensureOwner(context.state);
    for (;;) {
      const { view, needs, rests } = await withAccess(context, (access) => look(access, instanceId));
      if (rests || signal.aborted) return tell(context, view, { needs, rests });
      await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
    }
  },
};

async function isLive(context: Context): Promise<boolean> {
  return withAccess(context, async ({ live }) => live);
}

interface Look {
  readonly view: InstanceView;
  /** What it and the instances that it called wait for, each with the process it is of. */
  readonly needs: readonly (WaitingView & { readonly process: string })[];
  /** It does nothing more by itself. */
  readonly rests: boolean;
}

/** What people answer; everything else comes by itself, or from outside. */
const answered: ReadonlySet<WaitingView["on"]> = new Set(["task", "incident", "choice", "pause"]);

async function look(access: RunAccess, instanceId: string): Promise<Look> {
  const view = await access.reader.instance(instanceId);
  if (view.endedAt !== null || view.status === "paused") {
    return { view, needs: view.waiting.map((wait) => ({ ...wait, process: view.process })), rests: true };
  }
  const needs: Look["needs"][number][] = [];
  let moves = false;
  const open = [view];
  for (const each of open) {
    const jobs = await openJobs(access.reader, each, access.jobTypes);
    const left = jobs.filter(({ worker }) => worker === false || (worker === null && !access.live));
    const byHand = new Set(left.map(({ id }) => id));
    for (const wait of each.waiting) {
      if (wait.on === "child") continue;
      const idle = answered.has(wait.on) || (wait.on === "job" && byHand.has(`${each.instanceId}:${wait.key}`));
      if (idle) needs.push({ ...wait, process: each.process });
      else moves = true;
    }
    for (const { childId } of each.elements) {
      if (childId === null) continue;
      const child = await access.reader.instance(childId).catch(() => undefined);
      // One that has just ended, or not begun, is about to be heard of.
      if (child === undefined || child.endedAt !== null) moves = true;
      else open.push(child);
    }
  }
  return { view, needs, rests: needs.length > 0 && !moves };
}

function tell({ out }: Context, view: InstanceView, { needs, rests }: Pick<Look, "needs" | "rests">): number {
  const { instanceId, status, outcome } = view;
  const exit = exitOf(view, rests);
  out.document({ instance: instanceId, status, outcome, waiting: needs, exit });
  const sum = outcome?.type === "completed" ? ` with ${JSON.stringify(outcome.result)}` : "";
  const why = outcome?.type === "failed" ? ` (${outcome.error.code}: ${outcome.error.message})` : "";
  out.text(`${instanceId} ${outcome === null ? (rests ? "waits" : "goes on") : outcome.type}${sum}${why}.`);
  for (const { process, ...wait } of needs) out.text(`  ${waitLine(wait, process)}`);
  return exit;
}

function exitOf({ outcome }: InstanceView, rests: boolean): number {
  if (outcome === null) return rests ? 8 : 7;
  return outcome.type === "completed" ? 0 : outcome.type === "failed" ? 1 : 7;
}
