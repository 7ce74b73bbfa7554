import type { Element, JobDefinition, ProgramDocument } from "@tutti/kernel";

/** Every type of job that workers of these programs are asked for, but those that are worked out on the way. */
export function jobTypesOf(programs: readonly ProgramDocument[]): ReadonlySet<string> {
  return new Set(jobsOf(programs).flatMap(({ type, typeFrom }) => (typeFrom === undefined ? type : [])));
}

/** Whether there may be jobs of types that nobody knows before they are offered. */
export function computesJobTypes(programs: readonly ProgramDocument[]): boolean {
  return jobsOf(programs).some(({ typeFrom }) => typeFrom !== undefined);
}

function jobsOf(programs: readonly ProgramDocument[]): readonly JobDefinition[] {
  return programs.flatMap(({ elements }) => [...jobsIn(elements)]);
}

/** What an answer may be for: elements that a worker or a person answers, and types of jobs. */
export function askersOf(programs: readonly ProgramDocument[]): ReadonlySet<string> {
  const names = new Set(jobTypesOf(programs));
  for (const { elements } of programs) {
    for (const element of elements) {
      if (element.kind === "user-task" || [...jobsIn(element)].length > 0) names.add(element.id);
    }
  }
  for (const id of choicesOf(programs).keys()) names.add(id);
  return names;
}

/** Ad-hoc sub-processes in which people choose, each with the elements they may choose from. */
export function choicesOf(programs: readonly ProgramDocument[]): ReadonlyMap<string, readonly string[]> {
  const choices = new Map<string, readonly string[]>();
  for (const { elements, flows } of programs) {
    const entered = new Set(flows.map(({ to }) => to));
    for (const { id, ...element } of elements) {
      if (element.kind !== "ad-hoc-sub-process" || element.job !== undefined || element.activate !== undefined)
        continue;
      const inside = elements.filter((each) => each.parent === id && !entered.has(each.id) && !isReacting(each));
      choices.set(
        id,
        inside.map((each) => each.id),
      );
    }
  }
  return choices;
}

/** Whether something else than a choice starts it. */
function isReacting(element: Element): boolean {
  const isStart = element.kind === "boundary-event" || element.kind === "start-event";
  return isStart || "triggeredByEvent" in element || "forCompensation" in element;
}

/** Jobs are found by their shape, so that a kind of element that asks for one needs no line here. */
function* jobsIn(value: unknown): Generator<JobDefinition> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === "job" && isJob(inner)) yield inner;
    // What its author's format said may look like anything.
    else if (key !== "extension") yield* jobsIn(inner);
  }
}

function isJob(value: unknown): value is JobDefinition {
  return typeof value === "object" && value !== null && "type" in value && "retry" in value;
}

/** The process to start when none is named: the first that no other of them calls. */
export function mainProcess(programs: readonly ProgramDocument[]): string | undefined {
  const called = new Set(
    programs.flatMap(({ elements }) => elements.flatMap((each) => (each.kind === "call-activity" ? each.process : []))),
  );
  return (programs.find(({ id }) => !called.has(id)) ?? programs[0])?.id;
}

/** Whether it can be started without a message, signal or timer. */
export function startsPlainly({ elements, flows }: ProgramDocument): boolean {
  const starts = elements.flatMap((each) => (each.kind === "start-event" && each.parent === null ? each.trigger : []));
  if (starts.length > 0) return starts.some(({ type }) => type === "none");
  const entered = new Set(flows.map(({ to }) => to));
  return !elements.some((each) => "instantiate" in each && each.parent === null && !entered.has(each.id));
}
