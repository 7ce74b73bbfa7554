import type { Json, JsonObject, Mapping, MultiInstance, ServiceTask, Source, VariableDeclaration } from "@tutti/kernel";
import { type CompiledProgram, Draft } from "../draft.ts";
import { limits } from "../limits.ts";
import type { Place, Problems } from "../problem.ts";
import { type Stage, type StageWorkflow, stageKeys } from "../schema/stages.ts";
import { cel } from "../value.ts";
import { ancestors, circleIn, reduce } from "./order.ts";
import { compileDurationMs, compileVariables, defaultRetry, defined, namedBackoff } from "./parts.ts";

interface Stages {
  readonly draft: Draft;
  readonly stages: readonly Stage[];
  /** Which stage writes a name. */
  readonly producers: ReadonlyMap<string, string>;
  readonly before: ReadonlyMap<string, readonly string[]>;
  readonly variables: readonly VariableDeclaration[];
}

/** Compiles the stage form: stages as service tasks, their order from `depends_on` and from what they read. */
export function compileStages(file: StageWorkflow, problems: Problems, place: Place): CompiledProgram | undefined {
  const { workflow } = file;
  const draft = new Draft(problems, place);
  if (workflow.stages.length > limits.stagesMax) {
    const message = `Expected at most ${limits.stagesMax} stages, but there are ${workflow.stages.length}`;
    problems.error("element-limit", message, place(["workflow", "stages"], "key"));
    return undefined;
  }
  const producers = producersOf(workflow.stages, draft);
  const before = orderOf(workflow.stages, producers, draft);
  const declared = compileVariables(draft, workflow.variables, ["workflow", "variables"]);
  const known = new Set(declared.map((variable) => variable.name));
  const implied = ["input", ...producers.keys()].filter((name) => !known.has(name));
  const variables = [...declared, ...implied.map((name) => ({ name, type: "any" as const }))];
  const whole: Stages = { draft, stages: workflow.stages, producers, before, variables };
  for (const [index, stage] of workflow.stages.entries()) draft.add(serviceTask(whole, stage, index));
  const cycle = circleIn(before);
  if (cycle !== undefined) {
    const message = `Expected stages that can be put in order, but they form a circle: ${cycle.join(" → ")}`;
    const index = workflow.stages.findIndex((stage) => stage.name === cycle[0]);
    problems.error("cycle", message, place(["workflow", "stages", index, "depends_on"]));
    return undefined;
  }
  connect(draft, before, place);
  const name = workflow.name ?? workflow.id ?? "workflow";
  const head = {
    id: workflow.id ?? slug(name),
    version: workflow.version ?? "1",
    name,
    variables,
    outputs: workflow.outputs ?? [...producers.keys()],
    onError: "fail" as const,
  };
  return { program: draft.finish(head), problems, place, legacy: true, fallsInto: [] };
}

/** An id made of a title: "Feature Implementation" gives `feature-implementation`. */
export function slug(title: string): string {
  const id = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 64);
  return /^[a-z]/.test(id) ? id : `p-${id}`.slice(0, 64);
}

function producersOf(stages: readonly Stage[], draft: Draft): Map<string, string> {
  const producers = new Map<string, string>();
  stages.forEach((stage, index) => {
    stage.outputs?.forEach((name, at) => {
      if (!producers.has(name)) producers.set(name, stage.name);
      else {
        const message = `Expected one stage to write ${name}, but ${producers.get(name)} and ${stage.name} do`;
        draft.problems.error("schema-invalid", message, draft.place(["workflow", "stages", index, "outputs", at]));
      }
    });
  });
  return producers;
}

/** A stage follows those it names and those whose outputs it reads; one that does neither follows the stage above. */
function orderOf(
  stages: readonly Stage[],
  producers: ReadonlyMap<string, string>,
  draft: Draft,
): Map<string, string[]> {
  const names = new Set(stages.map((stage) => stage.name));
  const before = new Map<string, string[]>();
  stages.forEach((stage, index) => {
    const wanted = new Set<string>();
    stage.depends_on?.forEach((name, at) => {
      if (names.has(name)) wanted.add(name);
      else {
        const message = `Expected the name of a stage, but there is no ${name}`;
        draft.problems.error(
          "dependency-unknown",
          message,
          draft.place(["workflow", "stages", index, "depends_on", at]),
        );
      }
    });
    for (const name of [...(stage.inputs ?? []), ...(stage.foreach === undefined ? [] : [stage.foreach])]) {
      const producer = producers.get(name);
      if (producer !== undefined && producer !== stage.name) wanted.add(producer);
    }
    const above = stages[index - 1];
    if (stage.depends_on === undefined && wanted.size === 0 && above !== undefined) wanted.add(above.name);
    before.set(stage.name, [...wanted]);
  });
  return before;
}

function serviceTask(whole: Stages, stage: Stage, index: number): ServiceTask {
  const { draft } = whole;
  const path = ["workflow", "stages", index] as const;
  const parallel = stage.foreach !== undefined;
  const strayType = parallel ? stage.type === "single" : stage.type === "parallel" || stage.type === "graph";
  if (strayType) {
    const message = parallel
      ? "Expected type parallel beside foreach, but found single"
      : `Expected foreach beside type ${stage.type}, but there is none`;
    draft.problems.error("loop-invalid", message, draft.place([...path, "type"]));
  }
  const timeoutMs =
    stage.timeout === undefined ? undefined : compileDurationMs(draft, stage.timeout, [...path, "timeout"]);
  return {
    kind: "service-task",
    id: stage.name,
    parent: null,
    position: draft.place([...path, "name"]),
    job: {
      type: stage.processor,
      retry: {
        attemptsMax:
          stage.retry_policy?.max_attempts ?? (stage.retry_policy === undefined ? 1 : defaultRetry.attemptsMax),
        backoff: namedBackoff(stage.retry_policy?.backoff),
        // A failed entry must count as failed, so that the others can go on; a single stage waits for a person.
        exhausted: parallel ? "error" : "incident",
      },
      ...defined({ timeoutMs, headers: headersOf(draft, stage, index) }),
    },
    inputs: inputsOf(whole, stage, index),
    outputs: parallel
      ? itemOutputs(stage)
      : (stage.outputs ?? []).map((name) => ({ target: name, source: { variable: name } })),
    ...(parallel && { loop: loopOf(stage, draft, index) }),
  };
}

function headersOf(draft: Draft, stage: Stage, index: number): JsonObject | undefined {
  const headers: Record<string, Json> = {};
  if (stage.merge_strategy !== undefined) headers["merge_strategy"] = stage.merge_strategy;
  for (const key of Object.keys(stage)) {
    if (stageKeys.includes(key)) continue;
    const message = `Expected a known key, but found ${key}; the job gets it as a header`;
    draft.problems.warn("schema-invalid", message, draft.place(["workflow", "stages", index, key], "key"));
    headers[key] = stage[key] as Json;
  }
  return Object.keys(headers).length === 0 ? undefined : headers;
}

/** What it names, else what the run was started with and all that earlier stages gave. */
function inputsOf(whole: Stages, stage: Stage, index: number): Mapping[] {
  const { draft, producers, before, variables } = whole;
  const mapping = (name: string, optional: boolean): Mapping => ({
    target: name,
    source: { variable: name },
    ...(optional && { optional }),
  });
  const entry: Mapping[] = stage.foreach === undefined ? [] : [mapping("item", false)];
  const known = new Set(variables.map((variable) => variable.name));
  stage.inputs?.forEach((name, at) => {
    if (known.has(name)) return;
    const message = `Expected a variable or an output of a stage, but ${name} is neither`;
    draft.problems.warn("variable-undeclared", message, draft.place(["workflow", "stages", index, "inputs", at]));
  });
  if (stage.inputs !== undefined) return [...entry, ...stage.inputs.map((name) => mapping(name, true))];
  const earlier = ancestors(before, stage.name);
  const given = [...producers].filter(([name, producer]) => earlier.has(producer) && name !== stage.foreach);
  const declared = variables.filter((variable) => !producers.has(variable.name));
  return [...entry, ...declared.map(({ name }) => mapping(name, true)), ...given.map(([name]) => mapping(name, true))];
}

/** What one entry gave: the field named like the output, else `result`, else null. */
function itemOutputs(stage: Stage): Mapping[] {
  const name = stage.outputs?.[0];
  if (name === undefined) return [];
  const from = (source: Source): Mapping => ({ target: name, source, optional: true });
  // The output itself is a variable of the process, null while entries run: only what the job gave can be anything else.
  const given = cel(`${name} == null ? result : ${name}`, { line: 1, column: 1 });
  return [{ target: name, source: { literal: null } }, from(given)];
}

function loopOf(stage: Stage, draft: Draft, index: number): MultiInstance {
  const output = stage.outputs?.[0];
  if ((stage.outputs?.length ?? 0) > 1) {
    const message = `Expected one output of a stage with foreach, but ${stage.name} has ${stage.outputs?.length}`;
    draft.problems.error("loop-invalid", message, draft.place(["workflow", "stages", index, "outputs", 1]));
  }
  return {
    mode: stage.type === "graph" ? "graph" : "parallel",
    collection: { variable: stage.foreach ?? "" },
    item: "item",
    onFailure: "continue",
    ...defined({
      maxParallel: stage.max_concurrent === undefined ? undefined : { literal: stage.max_concurrent },
      output: output === undefined ? undefined : { target: output, source: { variable: output } },
    }),
  };
}

/** Flows of a dependency graph: a gateway where one stage starts several, and where one waits for several. */
function connect(draft: Draft, before: ReadonlyMap<string, readonly string[]>, place: Place): void {
  const position = place(["workflow", "stages"], "key");
  const base = { parent: null, position };
  const start = draft.has("start") ? "start.event" : "start";
  const end = draft.has("end") ? "end.event" : "end";
  draft.add({ ...base, kind: "start-event", id: start, trigger: { type: "none" } });
  draft.add({ ...base, kind: "end-event", id: end, trigger: { type: "none" } });
  const reduced = reduce(before);
  const after = new Map<string, string[]>();
  const edge = (from: string, to: string) => after.set(from, [...(after.get(from) ?? []), to]);
  for (const [name, previous] of reduced) {
    if (previous.length === 0) edge(start, name);
    for (const other of previous) edge(other, name);
  }
  for (const name of reduced.keys()) if (!after.has(name)) edge(name, end);
  const incoming = new Map<string, number>();
  for (const targets of after.values()) for (const to of targets) incoming.set(to, (incoming.get(to) ?? 0) + 1);
  const entry = (to: string) => gateway(draft, { id: to, suffix: "join", several: (incoming.get(to) ?? 0) > 1 }, base);
  for (const to of incoming.keys()) if (entry(to) !== to) draft.flow(entry(to), to);
  for (const [from, targets] of after) {
    const exit = gateway(draft, { id: from, suffix: "fork", several: targets.length > 1 }, base);
    if (exit !== from) draft.flow(from, exit);
    for (const to of targets) draft.flow(exit, entry(to));
  }
}

function gateway(
  draft: Draft,
  at: { readonly id: string; readonly suffix: "fork" | "join"; readonly several: boolean },
  base: { readonly parent: null; readonly position: ReturnType<Place> },
): string {
  if (!at.several) return at.id;
  const id = `${at.id}.${at.suffix}`;
  if (!draft.has(id)) draft.add({ ...base, kind: "parallel-gateway", id });
  return id;
}
