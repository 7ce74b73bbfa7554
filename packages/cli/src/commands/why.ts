import type { InstanceView, WaitingView } from "@tutti/kernel";
import type { Command, Context } from "../command.ts";
import { withRun } from "../run/access.ts";
import { runArgument } from "./arguments.ts";

interface Reason {
  readonly process: string;
  readonly unit: string | null;
  readonly on: WaitingView["on"];
  readonly reason: string;
  readonly until: string;
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
      show(context, { run, live: access.live, ended: root.endedAt !== null, reasons });
      return 0;
    }),
};

/** Waiting for a child says nothing: the child says what it waits for itself. */
function reasonsOf(instance: InstanceView): Reason[] {
  const unit = (instance.variables["unit"] as { readonly id?: string } | null | undefined)?.id ?? null;
  return instance.waiting
    .filter(({ on }) => on !== "child")
    .map(({ on, item, reason, until }) => ({ process: instance.process, unit: item ?? unit, on, reason, until }));
}

const people: readonly string[] = ["incident", "task", "pause"];

function rank({ on }: Reason): number {
  return people.includes(on) ? 0 : on === "job" ? 1 : 2;
}

function show(
  { out, state }: Context,
  found: { readonly run: string; readonly live: boolean; readonly ended: boolean; readonly reasons: readonly Reason[] },
): void {
  const { run, live, ended, reasons } = found;
  out.document({ run, live, ended, reasons });
  if (ended) return out.text(`${run} has ended and waits for nothing.`);
  if (!live) out.text(`No process owns ${state.path}: nothing goes on by itself. Go on with \`tutti resume\`.`);
  if (reasons.length === 0) out.text(`${run} waits for nothing that it knows of.`);
  for (const { unit, on, reason, until } of reasons) {
    const { yellow, bold } = out.style;
    const text = people.includes(on) ? yellow(reason) : reason;
    out.text(`${unit === null ? "" : `${bold(unit)}: `}${text} Until: ${until}`);
  }
}
