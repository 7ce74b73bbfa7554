import type { Element, ElementId } from "@tutti/kernel";
import { isGiven, placeOf } from "../lint/variables.ts";
import { type Access, type Checked, readAccesses, writersOf } from "./access.ts";
import type { Assignment } from "./assignment.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./finding.ts";
import type { Concurrency } from "./order.ts";

/** Reads that may come before what they read, and parallel branches that touch the same variable. */
export function checkDataFlow(
  checked: Checked,
  order: { readonly concurrency: Concurrency; readonly assignment: Assignment },
): Finding[] {
  const writers = writersOf(checked);
  const found = new Map<string, Finding>();
  const add = (key: string, made: () => Finding): void => {
    if (!found.has(key)) found.set(key, made());
  };
  for (const access of readAccesses(checked)) {
    const { element, name } = access;
    const writing = writers.get(name) ?? [];
    const undone = undoneBy(checked, element);
    if (writing.length === 0 && (undone === undefined || isForStarter(checked, undone, name))) continue;
    const beside = writing.filter((writer) => order.concurrency.has(element, writer));
    // What undoes a step shares the step's own trouble.
    if (undone !== undefined && writing.some((writer) => order.concurrency.has(undone, writer))) continue;
    if (beside.length > 0) add(`${element.id} ${name}`, () => race(access, beside));
    else if (isMissing(access, { checked, writing, assignment: order.assignment })) {
      add(`${element.id} ${name}`, () => early(access, writing));
    }
  }
  for (const [name, writing] of writers) {
    for (const [at, first] of writing.entries()) {
      const second = writing.slice(at + 1).find((other) => order.concurrency.has(first, other));
      if (second !== undefined) add(`${first.id} ${second.id} ${name}`, () => doubleWrite(name, first, second));
    }
  }
  return [...found.values()];
}

/** What nothing writes but the activity itself reads is up to whoever starts the process. */
function isForStarter(checked: Checked, activity: Element, name: string): boolean {
  const inputs = "inputs" in activity ? (activity.inputs ?? []) : [];
  return (
    isGiven(checked, activity, name) || inputs.some(({ source }) => "variable" in source && source.variable === name)
  );
}

/** The activity that a compensation handler undoes. */
function undoneBy(checked: Checked, handler: Element): Element | undefined {
  if (!("forCompensation" in handler)) return undefined;
  return checked.compiled.program.elements.find(
    (element) => "compensation" in element && element.compensation === handler.id,
  );
}

function isMissing(
  access: Access,
  known: { readonly checked: Checked; readonly writing: readonly Element[]; readonly assignment: Assignment },
): boolean {
  const { element, name, optional } = access;
  if (known.assignment.isCertain(element, name)) return false;
  // Who marked the read as optional meant some path, not that nothing ever gives it in time.
  return !optional || !known.writing.some((writer) => mayPrecede(known.checked, writer, element));
}

/** Whether some path leads from one element to the other; both are taken at the innermost scope that holds them. */
function mayPrecede(checked: Checked, first: Element, second: Element): boolean {
  const target = new Set<ElementId>();
  for (
    let at: Element | undefined = second;
    at !== undefined;
    at = at.parent === null ? undefined : checked.index.elements.get(at.parent)
  ) {
    target.add(at.id);
    for (const element of checked.compiled.program.elements) {
      if ("compensation" in element && element.compensation === at.id) target.add(element.id);
    }
  }
  const open: ElementId[] = [first.id];
  const seen = new Set<ElementId>();
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    for (const flow of checked.index.outgoing.get(id) ?? []) {
      if (target.has(flow.to)) return true;
      open.push(flow.to);
    }
    const parent = checked.index.elements.get(id)?.parent ?? null;
    if (parent !== null) open.push(parent);
    for (const element of checked.compiled.program.elements) {
      if (element.kind === "boundary-event" && element.attachedTo === id) open.push(element.id);
    }
  }
  return false;
}

function race(access: Access, writers: readonly Element[]): Finding {
  const { element, name } = access;
  const who = writers.map((writer) => writer.id).join(", ");
  const message = `Expected ${element.id} to start after ${who}, which writes the ${name} that it reads, but they run at the same time`;
  return finding("variable-race", message, { position: placeOf(access.source, element), element: element.id });
}

function doubleWrite(name: string, first: Element, second: Element): Finding {
  const message = `Expected one branch to write ${name}, but ${first.id} and ${second.id} do at the same time: the last one wins`;
  return finding("variable-race", message, { position: second.position, element: second.id });
}

function early(access: Access, writers: readonly Element[]): Finding {
  const { element, name, source } = access;
  const who = writers.map((writer) => writer.id).join(", ");
  const found = who === "" ? "nothing ever writes it" : `on one of them ${who} did not run before`;
  const message = `Expected ${name} to be written on every path to ${element.id}, but ${found}`;
  return finding("variable-read-early", message, { position: placeOf(source, element), element: element.id });
}
