import type { Expression } from "@tutti/kernel";
import { type Circle, Circles, tellCircle } from "../lint/circle.ts";
import { writesOf } from "../lint/sources.ts";
import type { Checked } from "./access.ts";
import { type Finding, finding } from "./finding.ts";

/** Circles in which nothing waits and nothing changes what could end them. One that counts is right. */
export function checkCircles(checked: Checked): Finding[] {
  const circles = new Circles(checked.index);
  // Lint refuses those that nothing leads out of.
  const refused = new Set(circles.traps().flatMap((circle) => circle.map(({ id }) => id)));
  return circles
    .all()
    .filter((circle) => !circle.some(({ id }) => refused.has(id)) && !changesItself(checked, circle))
    .map((circle) => {
      const { first, told } = tellCircle(circle);
      const why = "tokens go round within one step, and nothing in it changes what its conditions read";
      const message = `Expected something to wait for in ${told}, but ${why}`;
      return finding("process-spins", message, {
        position: first?.position,
        ...(first !== undefined && { element: first.id }),
      });
    });
}

/** Whether a round may make the next one go another way. */
function changesItself({ compiled, index, languages }: Checked, circle: Circle): boolean {
  const ids = new Set(circle.map(({ id }) => id));
  const within = compiled.program.elements.filter(
    ({ id, parent }) => ids.has(id) || (parent !== null && ids.has(parent)),
  );
  const written = new Set(["loopCounter", ...within.flatMap(writesOf)]);
  const conditions = circle.flatMap((element): readonly (Expression | undefined)[] => {
    const loop = "loop" in element && element.loop?.mode === "standard" ? [element.loop.condition] : [];
    return [...loop, ...(index.outgoing.get(element.id) ?? []).map(({ condition }) => condition)];
  });
  return conditions.some((condition) => {
    const compilation = condition === undefined ? undefined : languages.compile(condition);
    return compilation?.ok === true && compilation.expression.reads.some((name) => written.has(name));
  });
}
