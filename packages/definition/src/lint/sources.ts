import type { Element, Expression, Flow, Mapping, MultiInstance, Source, TimerDefinition } from "@tutti/kernel";

/** One place in an element that reads values, and which extra names it sees there. */
export interface Read {
  readonly source: Source;
  readonly element: Element;
  /** `result`: fields nobody can know beforehand are visible, so unknown names are no mistake. */
  readonly sees: "variables" | "result" | "counts" | "item";
  readonly optional: boolean;
}

/** Everything an element reads, flows out of it included. */
export function readsOf(element: Element, flows: readonly Flow[]): Read[] {
  const reads: Read[] = [];
  const add = (source: Source | undefined, sees: Read["sees"] = "variables", optional = false) => {
    if (source !== undefined) reads.push({ source, element, sees, optional });
  };
  const addAll = (mappings: readonly Mapping[] | undefined, sees: Read["sees"] = "variables") => {
    for (const mapping of mappings ?? []) add(mapping.source, sees, mapping.optional === true);
  };
  if ("inputs" in element) addAll(element.inputs, "item");
  if ("outputs" in element) addAll(element.outputs, "result");
  if ("loop" in element && element.loop !== undefined) addLoop(element.loop, add);
  for (const flow of flows) add(flow.condition);
  switch (element.kind) {
    case "script-task":
      addAll(element.assignments, "item");
      break;
    case "user-task":
      add(element.title, "item");
      add(element.assignee, "item");
      add(timer(element.due), "item");
      break;
    case "intermediate-catch-event":
      add(timer(element.trigger.timer));
      break;
    case "boundary-event":
      if (element.trigger.type === "timer") add(timer(element.trigger.timer));
      break;
    case "end-event":
      if (element.trigger.type === "error") add(element.trigger.message);
      break;
    default:
  }
  return reads;
}

function addLoop(loop: MultiInstance, add: (source: Source | undefined, sees?: Read["sees"]) => void): void {
  add(loop.collection);
  add(loop.maxParallel);
  for (const source of Object.values(loop.fields ?? {})) add(source as Source, "item");
  add(loop.completion as Expression | undefined, "counts");
  add(loop.accept as Expression | undefined, "counts");
  add(loop.output?.source, "result");
}

function timer(definition: TimerDefinition | undefined): Source | undefined {
  return definition?.value;
}

/** Variables an element writes where others see them. */
export function writesOf(element: Element): string[] {
  const targets: string[] = [];
  const loop = "loop" in element ? element.loop : undefined;
  if (element.kind === "script-task") targets.push(...element.assignments.map((assignment) => assignment.target));
  // What an item writes stays with the item.
  if (loop !== undefined) targets.push(...(loop.output === undefined ? [] : [loop.output.target]));
  else if ("outputs" in element) targets.push(...(element.outputs ?? []).map((mapping) => mapping.target));
  return targets;
}
