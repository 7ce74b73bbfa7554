import type { InstanceView, WaitingView } from "@tutti/kernel";
import type { Command, Context } from "../command.ts";
import { withRun } from "../run/access.ts";
import { waysOut } from "../run/ways-out.ts";
import { asTyped, wordsOf } from "../run/words.ts";
import { runArgument } from "./arguments.ts";

interface Reason {
  readonly process: string;
  readonly unit: string | null;
  readonly on: WaitingView["on"];
  readonly reason: string;
  readonly until: string;
  /** Of an incident: what a person can do. */
  readonly advice: string | null;
}

export const why: Command = {
  name: "why",
  summary: "Says what a run waits for, and what would end each wait; what needs a person comes first.",
  options: { unit: { value: "UNIT", help: "only this unit" } },
  arguments: [runArgument],
  run: (context) =>
    withRun(context, context.input.argument(0), async (access, run) => {
      const root = await access.runs.root(run);
      const open = await access.runs.open(run);
      const only = context.input.text("unit");
      const reasons = [root, ...open]
        .flatMap(reasonsOf)
        .filter(({ unit }) => only === undefined || unit === only)
        .sort((a, b) => rank(a) - rank(b));
      const ended = root.endedAt !== null;
      const ways = ended ? [] : waysOut(await access.view(run));
      show(context, { run, live: access.live, ended, reasons, ways });
      return 0;
    }),
};

/** Waiting for a child says nothing: the child says what it waits for itself. */
function reasonsOf(instance: InstanceView): Reason[] {
  const unit = (instance.variables["unit"] as { readonly id?: string } | null | undefined)?.id ?? null;
  return instance.waiting
    .filter(({ on }) => on !== "child")
    .map((waiting) => {
      const { on, item, until, advice = null } = waiting;
      return { process: instance.process, unit: item ?? unit, on, reason: reasonOf(instance, waiting), until, advice };
    });
}

/** The kernel knows a job by its type; a person knows the step by its name. */
function reasonOf({ elements }: InstanceView, { on, key, reason }: WaitingView): string {
  const name = on === "job" ? elements.find((element) => element.key === key)?.name : undefined;
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
  readonly run: string;
  readonly live: boolean;
  readonly ended: boolean;
  readonly reasons: readonly Reason[];
  /** What a person can type now. */
  readonly ways: readonly string[];
}

function show(context: Context, { run, live, ended, reasons, ways }: Found): void {
  const { out, state } = context;
  const words = wordsOf(context);
  out.document({ run, live, ended, reasons });
  if (ended) return out.text(`${run} has ended and waits for nothing.`);
  if (!live) {
    const text = `No process owns ${state.path}: nothing goes on by itself. Go on with \`tutti resume ${run}\`.`;
    out.text(asTyped(text, words));
  }
  if (reasons.length === 0) out.text(`${run} waits for nothing that it knows of.`);
  const lines = reasons.map(({ unit, on, reason, until, advice }) => {
    const { yellow, bold } = out.style;
    const text = people.includes(on) ? yellow(reason) : reason;
    return `${unit === null ? "" : `${bold(unit)}: `}${text} Until: ${until}${advice === null ? "" : ` ${advice}`}`;
  });
  // The instances of one unit often wait for the same thing.
  for (const line of new Set(lines)) out.text(line);
  for (const way of ways) out.text(`→ ${words.tutti(way)}`);
}
