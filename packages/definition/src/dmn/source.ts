import type { Expression, SourcePosition } from "@tutti/kernel";
import { findCycle } from "@tutti/kernel";
import { FeelEvaluator } from "../feel/evaluator.ts";
import { canonicalJson } from "../hash.ts";
import { limits } from "../limits.ts";
import type { Problems } from "../problem.ts";
import { variableOf } from "./evaluator.ts";
import type { CompiledDecision, DecisionLogic } from "./model.ts";

/** A piece of FEEL as it stands in a file. */
export interface Cell {
  readonly text: string;
  readonly top: "Expression" | "UnaryTests";
  readonly position: SourcePosition;
}

/** A decision, or a function that decisions call, as a front end read it. */
export interface DecisionSource {
  readonly id: string;
  /** Under which others read it. */
  readonly name: string;
  readonly position: SourcePosition;
  /** Ids of what must be decided before; undefined: whatever it reads by name. */
  readonly requires: readonly { readonly id: string; readonly position: SourcePosition }[] | undefined;
  readonly logic: DecisionLogic;
  /** Every text of the logic, to be checked at its place. */
  readonly cells: readonly Cell[];
  /** Not a decision of its own: only called. */
  readonly isFunction: boolean;
}

/** A decision that can be evaluated as it is. */
export interface Decision {
  readonly id: string;
  readonly name: string;
  /** In the language `dmn`, with everything it requires inside. */
  readonly expression: Expression;
}

/** Puts decisions together with what they require. A file with an error gives none; all that is wrong is reported. */
export function assembleDecisions(
  sources: readonly DecisionSource[],
  names: readonly string[],
  problems: Problems,
): Decision[] {
  const overfull = sources[limits.decisionsMax];
  if (overfull !== undefined) {
    const message = `Expected at most ${limits.decisionsMax} decisions, but there are ${sources.length}`;
    problems.error("decision-invalid", message, overfull.position);
    return [];
  }
  const feel = new FeelEvaluator();
  const all = [...names, ...sources.map(({ name }) => name)];
  const special = [...new Set(all)].filter((name) => /[^\p{L}\p{N}_]/u.test(name)).sort();
  const byId = new Map<string, DecisionSource>();
  for (const source of sources) {
    if (byId.has(source.id)) {
      problems.error(
        "decision-duplicate",
        `Expected every decision once, but ${source.id} is there twice`,
        source.position,
      );
    }
    byId.set(source.id, source);
  }
  const required = new Map(sources.map((source) => [source.id, requiredBy(source, { byId, feel, special, problems })]));
  const circle = findCycle([...required.keys()], (id) => required.get(id) ?? []);
  if (circle !== undefined) {
    const position = byId.get(circle[0] ?? "")?.position ?? { line: 1, column: 1 };
    problems.error(
      "cycle",
      `Expected decisions that can be made one after the other, but ${circle.join(" requires ")}`,
      position,
    );
  }
  if (problems.errors > 0) return [];
  return sources
    .filter(({ isFunction }) => !isFunction)
    .map(({ id, name }) => {
      const steps = Array.from(inOrder(id, required), (step) => {
        const { name: stepName, logic } = byId.get(step) as DecisionSource;
        return { name: stepName, logic };
      });
      const compiled: CompiledDecision = { format: 1, names: special, steps };
      return { id, name, expression: { language: "dmn", text: canonicalJson(compiled as never) } };
    });
}

interface Known {
  readonly byId: ReadonlyMap<string, DecisionSource>;
  readonly feel: FeelEvaluator;
  readonly special: readonly string[];
  readonly problems: Problems;
}

/** Checks every cell on the way. */
function requiredBy(source: DecisionSource, known: Known): string[] {
  const { byId, feel, special, problems } = known;
  const reads = new Set<string>();
  for (const { text, top, position } of source.cells) {
    const compiled = feel.compile(text, { top, names: special });
    if (!compiled.ok) problems.error(compiled.code, `${compiled.message} (in ${source.id})`, position);
    else for (const name of compiled.expression.reads) reads.add(name);
  }
  if (source.requires === undefined) {
    return [...byId.values()].filter(({ id, name }) => id !== source.id && reads.has(name)).map(({ id }) => id);
  }
  return source.requires.flatMap(({ id, position }) => {
    if (byId.has(id)) return [id];
    problems.error(
      "decision-unknown",
      `Expected what ${source.id} requires to be there, but there is no ${id}`,
      position,
    );
    return [];
  });
}

/** What must be decided for it, each after what it requires itself, and at last the decision. */
function inOrder(
  id: string,
  required: ReadonlyMap<string, readonly string[]>,
  done: Set<string> = new Set(),
): ReadonlySet<string> {
  for (const before of required.get(id) ?? []) if (!done.has(before)) inOrder(before, required, done);
  return done.add(id);
}

/** The variable that a decision's result is kept in when nobody says another. */
export function resultOf(decision: Decision): string {
  const name = variableOf(decision.name);
  return /^[A-Za-z_]/.test(name) ? name : `_${name}`;
}
