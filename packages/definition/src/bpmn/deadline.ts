import type { Mapping, SlaRule, TimerDefinition } from "@tutti/kernel";
import { formatDuration, parseDuration } from "../timer/duration.ts";
import type { Context } from "./context.ts";
import type { XmlNode } from "./xml.ts";

/** The inputs by which jBPM says what happens when a task is late. */
const kinds: Readonly<Record<string, readonly [on: SlaRule["on"], does: "reassign" | "notify"]>> = {
  NotStartedReassign: ["not-started", "reassign"],
  NotCompletedReassign: ["not-completed", "reassign"],
  NotStartedNotify: ["not-started", "notify"],
  NotCompletedNotify: ["not-completed", "notify"],
};

/**
 * jBPM's deadlines of a user task as SLA rules: `[users:ann|groups:clerks]@[4h]`, several after one another with `^`. One
 * that cannot be read is left out with a warning. They are no data of the task.
 */
export function deadlinesOf(
  context: Context,
  node: XmlNode,
  given: readonly Mapping[],
): { readonly inputs: readonly Mapping[]; readonly sla: readonly SlaRule[] } {
  const sla: SlaRule[] = [];
  for (const { target, source } of given) {
    const [on, does] = (Object.hasOwn(kinds, target) ? kinds[target] : undefined) ?? [];
    if (on === undefined || does === undefined) continue;
    const text = "literal" in source && typeof source.literal === "string" ? source.literal.trim() : undefined;
    for (const part of text === "" ? [] : (text?.split("^") ?? [undefined])) {
      const rules = part === undefined ? undefined : rulesOf(part.trim(), on, does);
      if (rules !== undefined) sla.push(...rules);
      else tellUnread(context, node, { target, found: part ?? "it is computed" });
    }
  }
  return { inputs: given.filter(({ target }) => !Object.hasOwn(kinds, target)), sla };
}

function tellUnread({ file }: Context, node: XmlNode, { target, found }: { target: string; found: string }): void {
  const message = `Expected ${target} of ${file.idOf(node)} as [users:ann|groups:clerks]@[4h], but found ${found.slice(0, 80)}: this deadline is left out; a timer at the boundary of the task says the same`;
  file.warn("bpmn-invalid", message, node);
}

/** One rule for each of its times; undefined when nobody is named or a time is none. */
function rulesOf(text: string, on: SlaRule["on"], does: "reassign" | "notify"): SlaRule[] | undefined {
  const [, who = "", times = ""] = /^\[(.*)\]\s*@\s*\[([^\]]+)\]$/s.exec(text) ?? [];
  const fields = new Map(who.split("|").map((field) => [field.split(":")[0]?.trim() ?? "", after(field)]));
  const lists = does === "reassign" ? ["users", "groups"] : ["tousers", "togroups", "toemails"];
  const to = lists.flatMap((list) => (fields.get(list) ?? "").split(",").flatMap((name) => name.trim() || []));
  const timers = times.split(",").map((time) => timerOf(time.trim()));
  if (to.length === 0 || timers.includes(undefined)) return undefined;
  const said = fields.get("subject") ?? fields.get("body");
  const message = said === undefined || said === "" ? {} : { message: { literal: said } };
  const action = does === "reassign" ? ({ type: does, to } as const) : ({ type: does, to, ...message } as const);
  return timers.flatMap((timer) => (timer === undefined ? [] : { on, after: timer, action }));
}

function after(field: string): string {
  return field.slice(field.indexOf(":") + 1).trim();
}

/** `4h`, `PT4H`, or `R/PT4H`. */
function timerOf(text: string): TimerDefinition | undefined {
  const [, cycle, plain = ""] = /^(R\d*\/)?(.*)$/s.exec(text) ?? [];
  const duration = parseDuration(plain);
  if (duration === undefined) return undefined;
  const value = { literal: `${cycle ?? ""}${formatDuration(duration)}` };
  return { kind: cycle === undefined ? "duration" : "cycle", value };
}
