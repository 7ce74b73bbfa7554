import type { InstanceView, WaitingView } from "@tutti/kernel";
import type { Command, Context } from "../command.ts";
import { openJobs, waysOn } from "../process/waits.ts";
import { type RunAccess, withAccess } from "../run/access.ts";
import { resolveInstance } from "../run/instance-id.ts";
import { featureProcess } from "../run/reader.ts";
import { waysOut } from "../run/ways-out.ts";
import { asTyped, wordsOf } from "../run/words.ts";
import { instanceArgument } from "./arguments.ts";

interface Reason {
  readonly process: string;
  readonly unit: string | null;
  readonly element: string | null;
  readonly on: WaitingView["on"];
  readonly reason: string;
  readonly until: string;
  /** Of an incident: what a person can do. */
  readonly advice: string | null;
}

export const why: Command = {
  name: "why",
  summary: "Says what a run or an instance waits for, and what would end each wait; what needs a person comes first.",
  options: { unit: { value: "UNIT", help: "only this unit of a run" } },
  arguments: [instanceArgument],
  run: (context) =>
    withAccess(context, async (access) => {
      const view = await access.reader.instance(await resolveInstance(access, context.input.argument(0)));
      if (view.process === featureProcess) return whyRun(context, access, view.instanceId);
      return whyInstance(context, access, view);
    }),
};

async function whyRun(context: Context, access: RunAccess, run: string): Promise<number> {
  const root = await access.runs.root(run);
  const open = await access.runs.open(run);
  const only = context.input.text("unit");
  const reasons = [root, ...open].flatMap(reasonsOf).filter(({ unit }) => only === undefined || unit === only);
  const ended = root.endedAt !== null;
  const ways = ended ? [] : waysOut(await access.view(run));
  show(context, { of: { run }, goOn: `resume ${run}`, live: access.live, ended, reasons, ways });
  return 0;
}

const noWorker = "Somebody does it by hand: no worker here takes jobs of this type.";

/** With what it called: it waits for that. */
async function whyInstance(context: Context, access: RunAccess, view: InstanceView): Promise<number> {
  const { instanceId, rootId, endedAt } = view;
  const called = instanceId === rootId ? await access.runs.open(rootId) : [];
  const all = [view, ...called];
  const ways: string[] = [];
  const reasons: Reason[] = [];
  for (const each of all) {
    const jobs = await openJobs(access.reader, each, access.jobTypes);
    const left = new Set(jobs.filter(({ worker }) => worker === false).map(({ element }) => element));
    ways.push(...waysOn(each, jobs).filter((way) => !way.startsWith("process show")));
    for (const reason of reasonsOf(each)) {
      reasons.push(reason.on === "job" && left.has(reason.element ?? "") ? { ...reason, until: noWorker } : reason);
    }
  }
  show(context, {
    ...{ of: { instance: instanceId }, goOn: "serve", live: access.live, ended: endedAt !== null },
    ...{ reasons, ways },
  });
  return 0;
}

/** Waiting for a child says nothing: the child says what it waits for itself. */
function reasonsOf(instance: InstanceView): Reason[] {
  const unit = (instance.variables["unit"] as { readonly id?: string } | null | undefined)?.id ?? null;
  return instance.waiting
    .filter(({ on }) => on !== "child")
    .map((waiting) => {
      const { on, element, item, until, advice = null } = waiting;
      const { process } = instance;
      return { process, unit: item ?? unit, element, on, reason: reasonOf(instance, waiting), until, advice };
    });
}

/** The kernel knows a job by its type; a person knows the step by its name, where it has one. */
function reasonOf({ elements }: InstanceView, { on, key, reason }: WaitingView): string {
  const step = on === "job" ? elements.find((element) => element.key === key) : undefined;
  const name = step?.name === step?.element ? undefined : step?.name;
  return name === undefined ? sentence(reason) : `${sentence(name)} ${sentence(reason)}`;
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

const people: readonly string[] = ["incident", "task", "pause"];

function rank({ on }: Reason): number {
  return people.includes(on) ? 0 : on === "job" ? 1 : 2;
}

interface Found {
  readonly of: { readonly run: string } | { readonly instance: string };
  /** What makes it go on when it has no owner. */
  readonly goOn: string;
  readonly live: boolean;
  readonly ended: boolean;
  readonly reasons: readonly Reason[];
  /** What a person can type now. */
  readonly ways: readonly string[];
}

function show(context: Context, { of, goOn, live, ended, reasons: found, ways }: Found): void {
  const { out, state } = context;
  const id = "run" in of ? of.run : of.instance;
  const reasons = found.toSorted((a, b) => rank(a) - rank(b));
  const words = wordsOf(context);
  out.document({ ...of, live, ended, reasons, next: ways });
  if (ended) return out.text(`${id} has ended and waits for nothing.`);
  if (!live) {
    const text = `No process owns ${state.path}: nothing goes on by itself. Go on with \`tutti ${goOn}\`.`;
    out.text(asTyped(text, words));
  }
  if (reasons.length === 0) out.text(`${id} waits for nothing that it knows of.`);
  const lines = reasons.map(({ unit, element, on, reason, until, advice }) => {
    const { yellow, bold } = out.style;
    const text = people.includes(on) ? yellow(reason) : reason;
    const place = "run" in of ? unit : element;
    return `${place === null ? "" : `${bold(place)}: `}${text} Until: ${until}${advice === null ? "" : ` ${advice}`}`;
  });
  // The instances of one unit often wait for the same thing.
  for (const line of new Set(lines)) out.text(line);
  for (const way of ways) out.text(`→ ${words.tutti(way)}`);
}
