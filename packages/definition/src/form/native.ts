import type { ElementId, Flow } from "@tutti/kernel";
import { type CompiledProgram, Draft, endOf } from "../draft.ts";
import { limits } from "../limits.ts";
import type { Path, Place, Problems } from "../problem.ts";
import type { NativeOn, NativeProcess, NativeStep } from "../schema/native.ts";
import { toCondition } from "../value.ts";
import { compileElement, isActivity, kindOf, refuseStrayKeys } from "./native-element.ts";
import { compileMapping, compileTimer, compileVariables, defined } from "./parts.ts";

/** What one `steps` map knows while it is compiled. */
interface Scope {
  readonly draft: Draft;
  readonly parent: ElementId | null;
  readonly steps: Readonly<Record<string, NativeStep>>;
  readonly path: Path;
  readonly whole: Whole;
}

/** What holds for the whole process: ids are unique in it, and handlers may be named before they stand. */
interface Whole {
  readonly scopeOf: ReadonlyMap<string, ElementId | null>;
  readonly handlers: ReadonlyMap<string, ElementId>;
  readonly caught: Set<ElementId>;
  readonly fallen: { readonly from: ElementId; readonly to: ElementId }[];
}

/** Compiles the process form. The value has passed its schema; everything else that is wrong is reported. */
export function compileNative(process: NativeProcess, problems: Problems, place: Place): CompiledProgram {
  const draft = new Draft(problems, place);
  const whole = survey(process.steps, draft);
  compileScope({ draft, parent: null, steps: process.steps, path: ["steps"], whole }, process.start, 0);
  const program = draft.finish({
    id: process.process,
    version: process.version ?? "1",
    name: process.name ?? process.process,
    variables: compileVariables(draft, process.variables, ["variables"]),
    outputs: process.outputs ?? [],
    onError: process.onError ?? "fail",
  });
  const fallsInto = whole.fallen.filter((fall) => whole.caught.has(fall.to));
  return { program, problems, place, legacy: false, fallsInto };
}

function survey(steps: Readonly<Record<string, NativeStep>>, draft: Draft): Whole {
  const scopeOf = new Map<string, ElementId | null>();
  const handlers = new Map<string, ElementId>();
  const visit = (inner: Readonly<Record<string, NativeStep>>, parent: ElementId | null, path: Path): void => {
    for (const [id, step] of Object.entries(inner)) {
      scopeOf.set(id, parent);
      if (typeof step.undo === "string") {
        const other = handlers.get(step.undo);
        if (other === undefined) handlers.set(step.undo, id);
        else {
          const message = `Expected one activity per handler, but ${step.undo} undoes ${other} and ${id}`;
          draft.problems.error("undo-invalid", message, draft.place([...path, id, "undo"]));
        }
      }
      if (step.steps !== undefined) visit(step.steps, id, [...path, id, "steps"]);
    }
  };
  visit(steps, null, ["steps"]);
  return { scopeOf, handlers, caught: new Set(), fallen: [] };
}

function compileScope(scope: Scope, start: string | undefined, nesting: number): void {
  const { draft, parent, steps, path } = scope;
  if (nesting > limits.nestingMax) {
    const message = `Expected at most ${limits.nestingMax} sub-processes within each other, but this is deeper`;
    draft.problems.error("element-limit", message, draft.place(path, "key"));
    return;
  }
  const ids = Object.keys(steps);
  const main = ids.filter((id) => !scope.whole.handlers.has(id));
  const first = start ?? main[0];
  const startId = parent === null ? (scope.whole.scopeOf.has("start") ? "start.event" : "start") : `${parent}.start`;
  draft.add({
    kind: "start-event",
    id: startId,
    parent,
    trigger: { type: "none" },
    position: draft.place(path, "key"),
  });
  if (first === undefined) {
    draft.problems.error("schema-invalid", "Expected at least one step, but there is none", draft.place(path, "key"));
    return;
  }
  // Elements come before flows: the order of a file is free.
  for (const id of ids) addStep(scope, id, nesting);
  const target = resolveTarget(scope, first, start === undefined ? [...path, first] : [...path.slice(0, -1), "start"]);
  if (target !== undefined) draft.flow(startId, target);
  for (const [index, id] of main.entries()) connect(scope, id, main[index + 1]);
  for (const id of ids) {
    if (scope.whole.handlers.has(id)) refuseFlows(scope, id);
    if (steps[id]?.fork !== undefined) draft.mergeBefore(id);
  }
}

function addStep(scope: Scope, id: string, nesting: number): void {
  const { draft, parent, whole } = scope;
  const step = scope.steps[id] as NativeStep;
  const path = [...scope.path, id];
  const kind = kindOf(draft, step, path);
  if (kind === undefined) return;
  refuseStrayKeys(draft, step, { kind, path });
  const handlerOf = whole.handlers.get(id);
  compileElement({ draft, parent, id, path, forCompensation: handlerOf !== undefined }, step, kind);
  if (kind === "steps" && step.steps !== undefined) {
    compileScope({ draft, parent: id, steps: step.steps, path: [...path, "steps"], whole }, step.start, nesting + 1);
  }
  if (step.undo !== undefined) addHandler(scope, id, step.undo);
}

function addHandler(scope: Scope, id: string, undo: string | NativeStep): void {
  const { draft, parent, steps } = scope;
  const path = [...scope.path, id, "undo"];
  if (typeof undo === "string") {
    const handler = steps[undo];
    if (handler === undefined) {
      draft.problems.error(
        "undo-invalid",
        `Expected a step of the same scope, but ${undo} is not there`,
        draft.place(path),
      );
    } else if (undo === id) {
      draft.problems.error("undo-invalid", `Expected another step, but ${id} undoes itself`, draft.place(path));
    }
    return;
  }
  const kind = kindOf(draft, undo, path);
  if (kind === undefined) return;
  refuseStrayKeys(draft, undo, { kind, path });
  if (!isActivity(kind) || kind === "steps") {
    draft.problems.error("undo-invalid", `Expected a job, script, user or call, but found ${kind}`, draft.place(path));
    return;
  }
  compileElement({ draft, parent, id: `${id}.undo`, path, forCompensation: true }, undo, kind);
}

/** Nothing flows out of a handler: the compensation waits for it and goes on by itself. */
function refuseFlows(scope: Scope, id: string): void {
  const step = scope.steps[id] as NativeStep;
  const kind = kindOf(undefined, step, []);
  const stray = (["then", "on", "undo", "forEach"] as const).find((key) => step[key] !== undefined);
  const { draft } = scope;
  if (stray !== undefined) {
    const message = `Expected a handler that only does its work, but ${id} has ${stray}`;
    draft.problems.error("undo-invalid", message, draft.place([...scope.path, id, stray], "key"));
  } else if (kind !== undefined && !isActivity(kind)) {
    const message = `Expected a job, script, user, call or steps, but the handler ${id} is ${kind}`;
    draft.problems.error("undo-invalid", message, draft.place([...scope.path, id], "key"));
  }
}

function connect(scope: Scope, id: string, below: string | undefined): void {
  const step = scope.steps[id] as NativeStep;
  const path = [...scope.path, id];
  const kind = kindOf(undefined, step, path);
  if (kind === undefined || !scope.draft.has(id)) return;
  if (step.on !== undefined && isActivity(kind)) connectBoundaries(scope, id, step.on);
  if (kind === "choose") return connectRoutes(scope, id, step.choose ?? []);
  if (kind === "end" || kind === "throw") return;
  const fork = kind === "fork" ? step.fork : undefined;
  const then = fork ?? step.then;
  if (then === undefined) {
    if (below !== undefined) scope.whole.fallen.push({ from: id, to: below });
    scope.draft.flow(id, below ?? endOf(scope.draft, scope.parent, scope.draft.place(path, "key")));
    return;
  }
  const at = [...path, fork === undefined ? "then" : "fork"];
  if (typeof then === "string") {
    const target = resolveTarget(scope, then, at);
    if (target !== undefined) scope.draft.flow(id, target);
    return;
  }
  connectAll(
    scope,
    { id, splits: kind === "fork" || kind === "join" },
    then.map((name, index) => [name, [...at, index]]),
  );
}

/** Several targets start at once: at a gateway of their own, unless the step is one. */
function connectAll(
  scope: Scope,
  from: { readonly id: ElementId; readonly splits: boolean },
  targets: readonly (readonly [string, Path])[],
): void {
  const { draft, parent } = scope;
  let source = from.id;
  if (!from.splits && targets.length > 1) {
    source = `${from.id}.fork`;
    draft.add({
      kind: "parallel-gateway",
      id: source,
      parent,
      position: draft.place([...scope.path, from.id, "then"]),
    });
    draft.flow(from.id, source);
  }
  for (const [name, path] of targets) {
    const target = resolveTarget(scope, name, path);
    if (target !== undefined) draft.flow(source, target);
  }
}

function connectRoutes(scope: Scope, id: string, routes: NonNullable<NativeStep["choose"]>): void {
  const { draft } = scope;
  let defaultFlow: Flow["id"] | undefined;
  routes.forEach((route, index) => {
    const path = [...scope.path, id, "choose", index];
    const whole =
      route.otherwise === undefined
        ? route.when !== undefined && route.then !== undefined
        : route.when === undefined && route.then === undefined;
    if (!whole) {
      draft.problems.error(
        "schema-invalid",
        "Expected { when, then } or { otherwise }, but found another mix",
        draft.place(path),
      );
      return;
    }
    const key = route.otherwise === undefined ? "then" : "otherwise";
    const target = resolveTarget(scope, route[key] ?? "end", [...path, key]);
    if (target === undefined) return;
    const condition = route.when === undefined ? undefined : toCondition(route.when, draft.place([...path, "when"]));
    const flow = draft.flow(id, target, defined({ condition, name: route.name }));
    if (condition !== undefined) return;
    if (defaultFlow !== undefined) {
      draft.problems.error("gateway-default-duplicate", `Expected one otherwise, but ${id} has two`, draft.place(path));
    }
    defaultFlow = flow;
  });
  const gateway = draft.get(id);
  if (gateway?.kind === "exclusive-gateway" && defaultFlow !== undefined) draft.amend({ ...gateway, defaultFlow });
}

function connectBoundaries(scope: Scope, id: string, on: NativeOn): void {
  const { draft, parent } = scope;
  const path = [...scope.path, id, "on"];
  const base = { kind: "boundary-event" as const, parent, attachedTo: id };
  const catches = typeof on.error === "string" ? { "*": on.error } : (on.error ?? {});
  for (const [code, given] of Object.entries(catches)) {
    const at = typeof on.error === "string" ? [...path, "error"] : [...path, "error", code];
    const { then, out } = typeof given === "string" ? { then: given, out: undefined } : given;
    const target = resolveTarget(scope, then, typeof given === "string" ? at : [...at, "then"]);
    if (target === undefined) continue;
    const event = code === "*" ? `${id}.on-error` : `${id}.on-error-${code}`;
    const outputs = compileMapping(draft, out, [...at, "out"]);
    const trigger = { type: "error" as const, ...(code !== "*" && { code }) };
    draft.add({
      ...base,
      id: event,
      interrupting: true,
      trigger,
      position: draft.place(at, "key"),
      ...defined({ outputs }),
    });
    draft.flow(event, target);
    scope.whole.caught.add(target);
  }
  const timers = on.timer === undefined ? [] : Array.isArray(on.timer) ? on.timer : [on.timer];
  timers.forEach((timer, index) => {
    const at = Array.isArray(on.timer) ? [...path, "timer", index] : [...path, "timer"];
    const { then, interrupting = true, ...rest } = timer;
    const compiled = compileTimer(draft, rest, at);
    const target = resolveTarget(scope, then, [...at, "then"]);
    if (compiled === undefined || target === undefined) return;
    const event = timers.length === 1 ? `${id}.on-timer` : `${id}.on-timer-${index + 1}`;
    draft.add({
      ...base,
      id: event,
      interrupting,
      trigger: { type: "timer", timer: compiled },
      position: draft.place(at),
    });
    draft.flow(event, target);
    scope.whole.caught.add(target);
  });
}

function resolveTarget(scope: Scope, name: string, path: Path): ElementId | undefined {
  const { draft, parent, steps, whole } = scope;
  const position = draft.place(path);
  const report = (code: "target-unknown" | "target-other-scope", message: string) => {
    draft.problems.error(code, message, position);
    return undefined;
  };
  if (Object.hasOwn(steps, name)) {
    const handlerOf = whole.handlers.get(name);
    if (handlerOf === undefined) return draft.has(name) ? name : undefined;
    draft.problems.error(
      "undo-invalid",
      `Expected nothing to flow into a handler, but ${name} undoes ${handlerOf}`,
      position,
    );
    return undefined;
  }
  if (name === "end") return endOf(draft, parent, position);
  if (!whole.scopeOf.has(name)) return report("target-unknown", `Expected a step or end, but there is no ${name}`);
  const home = whole.scopeOf.get(name) ?? null;
  const where = home === null ? "outside of it" : `in ${home}`;
  return report(
    "target-other-scope",
    `Expected a step of ${parent ?? "the process"} itself, but ${name} stands ${where}`,
  );
}
