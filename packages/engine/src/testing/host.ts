import type { DueResult, Evaluation, Host, Json } from "@tutti/kernel";

/**
 * A host for tests. Expressions: a variable's name, `not name`, or a JSON literal. Timers: an ISO date, or a duration
 * `PT<n>S`, or a cycle `R<n>/PT<n>S`.
 */
export const testHost: Host = {
  evaluate(expression, scope): Evaluation {
    const { text } = expression;
    if (/^[a-z]\w*$/i.test(text) && text !== "true" && text !== "false" && text !== "null") {
      const value = scope.get(text);
      if (value === undefined) return { ok: false, code: "variable-unknown", message: `there is no '${text}'` };
      return { ok: true, value };
    }
    if (text.startsWith("not ")) return { ok: true, value: scope.get(text.slice(4)) !== true };
    try {
      return { ok: true, value: JSON.parse(text) as Json };
    } catch {
      return { ok: false, code: "expression-invalid", message: `cannot read '${text}'` };
    }
  },
  nextDue(timer, value, ...[from, remaining]): DueResult {
    const match = /^(?:R(\d*)\/)?PT([\d.]+)S$/.exec(String(value));
    if (timer.kind === "date") {
      const due = Date.parse(String(value));
      return Number.isNaN(due)
        ? { ok: false, code: "timer-invalid", message: "not a date" }
        : { ok: true, due, remaining: 0 };
    }
    if (match === null) return { ok: false, code: "timer-invalid", message: `cannot read '${String(value)}'` };
    const due = from + Number(match[2]) * 1_000;
    if (timer.kind !== "cycle") return { ok: true, due, remaining: 0 };
    const times = match[1] === "" || match[1] === undefined ? null : Number(match[1]) - 1;
    const left = remaining === undefined ? times : remaining === null ? null : remaining - 1;
    return { ok: true, due, remaining: left };
  },
};
