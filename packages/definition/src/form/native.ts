import type { Element, ElementId, Flow, StartEvent } from "@tutti/kernel";
import { type CompiledProgram, Draft, endOf } from "../draft.ts";
import { limits } from "../limits.ts";
import type { Path, Place, Problems } from "../problem.ts";
import type { NativeOn, NativeProcess, NativeStep } from "../schema/native.ts";
import type { NativeStart } from "../schema/native-event.ts";
import { toCondition } from "../value.ts";
import { compileElement, isActivity, kindOf, refuseStrayKeys } from "./native-element.ts";
import { caughtCode, compileCatch } from "./native-event.ts";
import { compileMapping, compileTimer, compileVariables, defined } from "./parts.ts";

/** What one `steps` map knows while it is compiled. */
interface Scope {
  readonly draft: Draft;
  readonly parent: ElementId | null;
  readonly steps: Readonly<Record<string, NativeStep>>;
  readonly path: Path;
  readonly whole: Whole;
  /** An ad-hoc sub-process: its steps are chosen, and only `then` connects them. */
  readonly adhoc?: boolean;
}

/** What holds for the whole process: ids are unique in it, and handlers may be named before they stand. */
interface Whole {
  readonly scopeOf: ReadonlyMap<string, ElementId | null>;
  readonly handlers: ReadonlyMap<string, ElementId>;
  /** Event sub-processes: an event starts them, so nothing flows into or out of them. */
  readonly aside: ReadonlySet<string>;
  readonly caught: Set<ElementId>;
  readonly fallen: { readonly from: ElementId; readonly to: ElementId }[];
}

/** Compiles the process form. The value has passed its schema; everything else that is wrong is reported. */
export function compileNative(process: NativeProcess, problems: Problems, place: Place): CompiledProgram {
  const draft = new Draft(problems, place);
  const whole = survey(process.steps, draft);
  const scope = { draft, parent: null, steps: process.steps, path: ["steps"], whole };
  compileScope(scope, { start: process.start, nesting: 0 });
  for (const [id, start] of Object.entries(process.starts ?? {})) addStart(scope, id, start);
  const program = draft.finish({
    id: process.process,
    version: process.version ?? "1",
    name: process.name ?? process.process,
    variables: compileVariables(draft, process.variables, ["variables"]),
    outputs: process.outputs ?? [],
    onError: process.onError ?? "fail",
  });
  const begins = program.elements.some(
    (element) => element.parent === null && (element.kind === "start-event" || "instantiate" in element),
  );
  if (!begins && process.starts === undefined)
    problems.error("schema-invalid", "Expected starts beside start: false, but there are none", place(["start"]));
  const fallsInto = whole.fallen.filter((fall) => whole.caught.has(fall.to));
  return { program, problems, place, legacy: false, fallsInto };
}

function survey(steps: Readonly<Record<string, NativeStep>>, draft: Draft): Whole {
  const scopeOf = new Map<string, ElementId | null>();
  const handlers = new Map<string, ElementId>();
  const aside = new Set<string>();
  const visit = (inner: Readonly<Record<string, NativeStep>>, parent: ElementId | null, path: Path): void => {
    for (const [id, step] of Object.entries(inner)) {
      scopeOf.set(id, parent);
      if (step.upon !== undefined) aside.add(id);
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
  return { scopeOf, handlers, aside, caught: new Set(), fallen: [] };
}

interface Opening {
  /** The first step; false: the events of `starts` alone begin it. */
  readonly start: string | false | undefined;
  readonly nesting: number;
  /** What begins it instead, in an event sub-process. */
  readonly event?: Pick<StartEvent, "trigger" | "interrupting" | "outputs">;
}

function compileScope(scope: Scope, opening: Opening): void {
  const { draft, parent, steps, path } = scope;
  const { start, nesting, event = { trigger: { type: "none" } } } = opening;
  if (nesting > limits.nestingMax) {
    const message = `Expected at most ${limits.nestingMax} sub-processes within each other, but this is deeper`;
    draft.problems.error("element-limit", message, draft.place(path, "key"));
    return;
  }
  const ids = Object.keys(steps);
  const main = ids.filter((id) => !scope.whole.handlers.has(id) && !scope.whole.aside.has(id));
  const first = start === undefined ? main.find((id) => steps[id]?.label === undefined) : start;
  const startId = parent === null ? (scope.whole.scopeOf.has("start") ? "start.event" : "start") : `${parent}.start`;
  if (first !== false)
    draft.add({ kind: "start-event", id: startId, parent, ...event, position: draft.place(path, "key") });
  if (first === undefined) {
    draft.problems.error("schema-invalid", "Expected at least one step, but there is none", draft.place(path, "key"));
    return;
  }
  // Elements come before flows: the order of a file is free.
  for (const id of ids) addStep(scope, id, nesting);
  const at = start === undefined ? [...path, String(first)] : [...path.slice(0, -1), "start"];
  const target = first === false ? undefined : resolveTarget(scope, first, at);
  if (target !== undefined) draft.flow(startId, target);
  for (const [index, id] of main.entries()) connect(scope, id, below(scope, main[index + 1]));
  for (const id of ids) {
    if (scope.whole.handlers.has(id)) refuseFlows(scope, id);
    if (steps[id]?.fork !== undefined) draft.mergeBefore(id);
  }
}

/** A label begins a section of its own: the step above it ends the scope. */
function below(scope: Scope, id: string | undefined): string | undefined {
  return id === undefined || scope.steps[id]?.label !== undefined ? undefined : id;
}

/** An event that begins the process, beside its plain start. */
function addStart(scope: Scope, id: string, start: NativeStart): void {
  const { draft, whole } = scope;
  const path = ["starts", id];
  const { then, out, ...event } = start;
  const trigger = compileCatch(draft, event, path);
  const target = resolveTarget(scope, then, [...path, "then"]);
  const outputs = compileMapping(draft, out, [...path, "out"]);
  if (whole.scopeOf.has(id)) {
    draft.problems.error(
      "element-duplicate",
      `Expected every id once, but ${id} is there twice`,
      draft.place(path, "key"),
    );
  } else if (trigger !== undefined && target !== undefined) {
    draft.add({
      kind: "start-event",
      id,
      parent: null,
      trigger,
      position: draft.place(path, "key"),
      ...defined({ outputs }),
    });
    draft.flow(id, target);
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
    const event = step.upon === undefined ? undefined : openingEvent(scope, step, path);
    const adhoc = step.adhoc !== undefined;
    const inner = { draft, parent: id, steps: step.steps, path: [...path, "steps"], whole, adhoc };
    compileScope(inner, {
      start: adhoc ? false : step.start,
      nesting: nesting + 1,
      ...(event !== undefined && { event }),
    });
  }
  if (step.undo !== undefined) addHandler(scope, id, step.undo);
}

/** What begins an event sub-process. Its `out` takes what the event brought, and nothing else may stand on it. */
function openingEvent(scope: Scope, step: NativeStep, path: Path): Opening["event"] {
  const { draft } = scope;
  for (const key of ["then", "routes", "in", "forEach", "repeat", "on", "undo", "transaction"] as const) {
    if (step[key] === undefined) continue;
    draft.problems.error(
      "schema-invalid",
      `Expected no ${key} beside upon, but found one`,
      draft.place([...path, key], "key"),
    );
  }
  const trigger = compileCatch(draft, step.upon ?? {}, [...path, "upon"]);
  if (trigger === undefined) return undefined;
  const interrupting = step.interrupting === false ? false : undefined;
  return { trigger, ...defined({ interrupting, outputs: compileMapping(draft, step.out, [...path, "out"]) }) };
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
  const stray = (["then", "routes", "on", "undo", "forEach", "repeat"] as const).find((key) => step[key] !== undefined);
  const { draft } = scope;
  if (stray !== undefined) {
    const message = `Expected a handler that only does its work, but ${id} has ${stray}`;
    draft.problems.error("undo-invalid", message, draft.place([...scope.path, id, stray], "key"));
  } else if (kind !== undefined && !isActivity(kind)) {
    const message = `Expected a job, script, user, call or steps, but the handler ${id} is ${kind}`;
    draft.problems.error("undo-invalid", message, draft.place([...scope.path, id], "key"));
  }
}

function connect(scope: Scope, id: string, following: string | undefined): void {
  const step = scope.steps[id] as NativeStep;
  const path = [...scope.path, id];
  const kind = kindOf(undefined, step, path);
  if (kind === undefined || !scope.draft.has(id)) return;
  if (step.on !== undefined && isActivity(kind)) connectBoundaries(scope, id, step.on);
  if (step.choose !== undefined) return connectRoutes(scope, { id, key: "choose", routes: step.choose });
  if (step.some !== undefined) return connectRoutes(scope, { id, key: "some", routes: step.some });
  if (step.routes !== undefined) return connectRoutes(scope, { id, key: "routes", routes: step.routes });
  if (kind === "end" || kind === "throw" || kind === "goto") return;
  const key = step.fork !== undefined ? "fork" : step.race !== undefined ? "race" : "then";
  const then = step[key];
  if (then === undefined && scope.adhoc === true) return;
  if (then === undefined) {
    if (following !== undefined) scope.whole.fallen.push({ from: id, to: following });
    scope.draft.flow(id, following ?? endOf(scope.draft, scope.parent, scope.draft.place(path, "key")));
    return;
  }
  const at = [...path, key];
  if (typeof then === "string") {
    const target = resolveTarget(scope, then, at);
    if (target !== undefined) scope.draft.flow(id, target);
    return;
  }
  connectAll(
    scope,
    { id, splits: kind === "fork" || kind === "race" || step.join === true },
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

interface Routes {
  readonly id: string;
  readonly key: "choose" | "some" | "routes";
  readonly routes: NonNullable<NativeStep["choose"]>;
}

function connectRoutes(scope: Scope, given: Routes): void {
  const { draft } = scope;
  const { id, routes } = given;
  if (given.key === "routes" && scope.steps[id]?.then !== undefined) {
    draft.problems.error(
      "schema-invalid",
      "Expected then or routes, but found both",
      draft.place([...scope.path, id, "routes"], "key"),
    );
  }
  let defaultFlow: Flow["id"] | undefined;
  routes.forEach((route, index) => {
    const path = [...scope.path, id, given.key, index];
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
  if (gateway !== undefined && defaultFlow !== undefined) draft.amend({ ...gateway, defaultFlow } as Element);
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
    const trigger = { type: "error" as const, ...(code !== "*" && { code: caughtCode(draft, code, at) }) };
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
  connectEvents(scope, id, on.event);
}

/** Boundary events of every other kind. An error or a cancelled transaction always ends the activity. */
function connectEvents(scope: Scope, id: string, given: NativeOn["event"]): void {
  const { draft, parent } = scope;
  const events = given === undefined ? [] : Array.isArray(given) ? given : [given];
  events.forEach((each, index) => {
    const path = [...scope.path, id, "on", "event", ...(Array.isArray(given) ? [index] : [])];
    const { then, out, interrupting = true, ...event } = each;
    const trigger = compileCatch(draft, event, path);
    const target = resolveTarget(scope, then, [...path, "then"]);
    if (trigger === undefined || target === undefined) return;
    if (trigger.type === "compensation" || trigger.type === "link") {
      draft.problems.error(
        "schema-invalid",
        `Expected undo for ${trigger.type}, but found an event`,
        draft.place(path),
      );
      return;
    }
    const always = trigger.type === "error" || trigger.type === "cancel";
    if (always && !interrupting) {
      const message = `Expected an event that interrupts for ${trigger.type}, but interrupting is false`;
      draft.problems.error("schema-invalid", message, draft.place([...path, "interrupting"]));
    }
    const eventId = events.length === 1 ? `${id}.on-event` : `${id}.on-event-${index + 1}`;
    const outputs = compileMapping(draft, out, [...path, "out"]);
    draft.add({
      ...{ kind: "boundary-event", id: eventId, parent, attachedTo: id, interrupting: always || interrupting },
      ...{ trigger, position: draft.place(path), ...defined({ outputs }) },
    });
    draft.flow(eventId, target);
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
    const why =
      steps[name]?.label !== undefined ? "a goto leads to" : whole.aside.has(name) ? "an event starts" : undefined;
    if (why !== undefined)
      return report("target-unknown", `Expected a step that flows may lead to, but ${why} ${name}`);
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
