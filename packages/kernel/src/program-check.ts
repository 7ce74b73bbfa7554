import { AppError, must } from "./problem.ts";
import type {
  Activity,
  BoundaryEvent,
  Container,
  Element,
  ElementId,
  EndEvent,
  IntermediateCatchEvent,
  IntermediateThrowEvent,
  ProgramDocument,
  StartEvent,
} from "./program.ts";

type Elements = ReadonlyMap<ElementId, Element>;
type Trigger = (StartEvent | EndEvent | IntermediateCatchEvent | IntermediateThrowEvent | BoundaryEvent)["trigger"];

type Nature<E extends Element> = E extends Container
  ? "container"
  : E extends Activity
    ? "activity"
    : "event" | "gateway" | "choosing-gateway";

/** What may stand on and behind each kind; a new kind does not compile until it stands here. */
const natures: { readonly [E in Element as E["kind"]]: Nature<E> } = {
  "ad-hoc-sub-process": "container",
  "boundary-event": "event",
  "business-rule-task": "activity",
  "call-activity": "activity",
  "complex-gateway": "choosing-gateway",
  "end-event": "event",
  "event-based-gateway": "gateway",
  "exclusive-gateway": "choosing-gateway",
  "inclusive-gateway": "choosing-gateway",
  "intermediate-catch-event": "event",
  "intermediate-throw-event": "event",
  "manual-task": "activity",
  "parallel-gateway": "gateway",
  "receive-task": "activity",
  "script-task": "activity",
  "send-task": "activity",
  "service-task": "activity",
  "start-event": "event",
  "sub-process": "container",
  "user-task": "activity",
};

function kindsOf(...wanted: readonly Nature<Element>[]): ReadonlySet<string> {
  return new Set(Object.entries(natures).flatMap(([kind, nature]) => (wanted.includes(nature) ? [kind] : [])));
}

/** Containers are activities. */
export const activityKinds: ReadonlySet<string> = kindsOf("activity", "container");
const containerKinds = kindsOf("container");
/** Conditions may stand on the flows out of these, besides those out of activities. */
const choosingGateways = kindsOf("choosing-gateway");

export function invalid(document: ProgramDocument, message: string): AppError {
  return new AppError("program-invalid", `Expected a sound program, but '${document.id}' ${message}.`);
}

/** Whether its token has left a throwing event while what it asked for is still being undone. */
export function goesOnAtOnce(element: Element): boolean {
  if (element.kind !== "intermediate-throw-event") return false;
  const { trigger } = element;
  const triggers = trigger.type === "multiple" ? trigger.triggers : [trigger];
  return triggers.some((each) => each.type === "compensation" && each.waits === false);
}

/** Whether it broadcasts a signal. */
export function broadcasts(element: Element): boolean {
  if (element.kind !== "intermediate-throw-event" && element.kind !== "end-event") return false;
  const { trigger } = element;
  return trigger.type === "multiple"
    ? trigger.triggers.some(({ type }) => type === "signal")
    : trigger.type === "signal";
}

/** What a program must be for the kernel's own steps to work; throws AppError `program-invalid`. */
export function checkProgram(document: ProgramDocument, elements: Elements): void {
  for (const element of document.elements) {
    checkPlace(document, elements, element);
    checkQuantities(document, element);
    if ("trigger" in element) checkTriggers(document, elements, element);
    if (element.kind === "boundary-event") checkBoundary(document, elements.get(element.attachedTo), element);
    if (isEventSubProcess(element)) checkEventSubProcess(document, element);
  }
  checkFlows(document, elements);
  checkChoices(document, elements);
}

function checkPlace(document: ProgramDocument, elements: Elements, element: Element): void {
  const container = element.parent === null ? undefined : elements.get(element.parent);
  if (element.parent !== null && !isContainer(container)) {
    throw invalid(document, `puts '${element.id}' into '${element.parent}', which is no sub-process`);
  }
  if (container?.kind === "ad-hoc-sub-process" && element.kind === "start-event") {
    throw invalid(document, `has a start event in the ad-hoc sub-process '${container.id}'`);
  }
  const handler = "compensation" in element ? element.compensation : undefined;
  const target = handler === undefined ? undefined : elements.get(handler);
  if (handler !== undefined && !(target !== undefined && isHandler(target))) {
    throw invalid(document, `undoes '${element.id}' by '${handler}', which is no compensation handler`);
  }
}

const quantityMax = 1_000;

function checkQuantities(document: ProgramDocument, element: Element): void {
  for (const field of ["startQuantity", "completionQuantity"] as const) {
    const quantity = field in element ? (element as Activity)[field] : undefined;
    if (quantity === undefined || (Number.isInteger(quantity) && quantity >= 1 && quantity <= quantityMax)) continue;
    throw invalid(
      document,
      `has ${field} ${quantity} at '${element.id}', which is no integer from 1 to ${quantityMax}`,
    );
  }
}

function checkFlows(document: ProgramDocument, elements: Elements): void {
  for (const flow of document.flows) {
    const from = elements.get(flow.from);
    const to = elements.get(flow.to);
    if (from === undefined || to === undefined) throw invalid(document, `has a flow '${flow.id}' that leads nowhere`);
    if (isHandler(from) || isHandler(to)) throw invalid(document, `has a flow '${flow.id}' at a compensation handler`);
    if (isEventSubProcess(from) || isEventSubProcess(to)) {
      throw invalid(document, `has a flow '${flow.id}' at an event sub-process`);
    }
    if (from.parent !== to.parent) throw invalid(document, `has a flow '${flow.id}' that leaves its sub-process`);
    if (to.kind === "start-event" || to.kind === "boundary-event") {
      throw invalid(document, `has a flow '${flow.id}' into the ${to.kind} '${to.id}'`);
    }
    if (flow.condition !== undefined && !choosingGateways.has(from.kind) && !activityKinds.has(from.kind)) {
      throw invalid(document, `has a condition on '${flow.id}', which comes from a ${from.kind}`);
    }
  }
}

/** The events after such a gateway are awaited by it, so each must be one that can be waited for. */
function checkChoices(document: ProgramDocument, elements: Elements): void {
  for (const { from, to } of document.flows) {
    const target = elements.get(to);
    if (elements.get(from)?.kind !== "event-based-gateway" || target?.kind === "receive-task") continue;
    if (target?.kind === "intermediate-catch-event" && target.trigger.type !== "link") continue;
    throw invalid(document, `leads from the event-based gateway '${from}' to '${to}', which waits for no event`);
  }
  for (const { id, kind } of document.elements) {
    if (kind !== "event-based-gateway" || document.flows.some(({ from }) => from === id)) continue;
    throw invalid(document, `leads nowhere from the event-based gateway '${id}'`);
  }
}

export function isContainer(element: Element | undefined): element is Container {
  return element !== undefined && containerKinds.has(element.kind);
}

export function isHandler(element: Element): boolean {
  return "forCompensation" in element && element.forCompensation === true;
}

export function isEventSubProcess(element: Element | undefined): boolean {
  return element?.kind === "sub-process" && element.triggeredByEvent === true;
}

/** Whether an end event cancels the transaction it stands in. */
export function cancels(element: EndEvent): boolean {
  const { trigger } = element;
  return (
    trigger.type === "cancel" ||
    (trigger.type === "multiple" && trigger.triggers.some((each) => each.type === "cancel"))
  );
}

function checkBoundary(document: ProgramDocument, to: Element | undefined, boundary: BoundaryEvent): void {
  const place = `attaches '${boundary.id}' to '${boundary.attachedTo}'`;
  if (to?.parent !== boundary.parent) throw invalid(document, `${place}, which does not stand beside it`);
  if (!activityKinds.has(to.kind)) throw invalid(document, `${place}, which is no activity`);
  // An error in a handler belongs to its compensation, which goes on with the next.
  if (isHandler(to)) throw invalid(document, `${place}, which is a compensation handler`);
  if (isEventSubProcess(to)) throw invalid(document, `${place}, which is an event sub-process`);
}

/** It is started by an event, so nothing that belongs to being entered by a token may stand on it. */
function checkEventSubProcess(document: ProgramDocument, element: Element): void {
  for (const field of ["inputs", "loop", "compensation", "forCompensation", "transaction"]) {
    if (field in element) throw invalid(document, `has '${field}' at the event sub-process '${element.id}'`);
  }
}

/** Where each trigger may stand; a multiple event is checked by what it consists of. */
const mayStand: { readonly [kind: string]: ReadonlySet<Trigger["type"]> } = {
  "start-event": new Set(["none", "timer", "message", "signal", "conditional"]),
  "event-sub-process": new Set([
    ...(["timer", "message", "signal", "conditional"] as const),
    ...(["error", "escalation", "compensation"] as const),
  ]),
  "intermediate-catch-event": new Set(["timer", "message", "signal", "conditional", "link"]),
  "boundary-event": new Set(["timer", "message", "signal", "conditional", "error", "escalation", "cancel"]),
  "intermediate-throw-event": new Set(["none", "message", "signal", "escalation", "compensation", "link"]),
  "end-event": new Set(["none", "terminate", "message", "signal", "escalation", "compensation", "error", "cancel"]),
};

const waitTypes: ReadonlySet<string> = new Set(["timer", "message", "signal", "conditional"]);
/** Thrown in one go: any number of them in one event. */
const quickTypes: ReadonlySet<string> = new Set(["message", "signal", "escalation"]);

function checkTriggers(
  document: ProgramDocument,
  elements: Elements,
  element: Extract<Element, { readonly trigger: Trigger }>,
): void {
  const { trigger, kind, id } = element;
  const place =
    kind === "start-event" && isEventSubProcess(elements.get(element.parent ?? "")) ? "event-sub-process" : kind;
  const triggers: readonly Trigger[] = trigger.type === "multiple" ? trigger.triggers : [trigger];
  for (const { type } of triggers) {
    const alone =
      trigger.type === "multiple" &&
      (type === "none" || type === "link" || (type === "compensation" && kind === "start-event"));
    if (alone || !must(mayStand[place], "every kind of event is listed").has(type))
      throw invalid(document, `has the trigger '${type}' at '${id}', where it cannot be`);
    checkTransaction(document, elements, { element, type });
    if (place === "event-sub-process") checkEventStart(document, { element: element as StartEvent, type });
  }
  if (trigger.type !== "multiple") return;
  const isThrown = kind === "end-event" || kind === "intermediate-throw-event";
  const others = triggers.filter((each) => !(isThrown ? quickTypes : waitTypes).has(each.type));
  const withJob = triggers.some((each) => "job" in each && each.job !== undefined);
  const most = isThrown ? 1 : "parallel" in trigger && trigger.parallel ? 0 : others.length;
  if (triggers.length === 0 || withJob || others.length > most) {
    throw invalid(document, `has triggers at '${id}' that cannot stand together`);
  }
}

function checkEventStart(
  document: ProgramDocument,
  { element, type }: { readonly element: StartEvent; readonly type: Trigger["type"] },
): void {
  if (type !== "error" || element.interrupting !== false) return;
  throw invalid(document, `has an error start '${element.id}' that does not interrupt what failed`);
}

function checkTransaction(
  document: ProgramDocument,
  elements: Elements,
  at: { readonly element: Element; readonly type: Trigger["type"] },
): void {
  const { element, type } = at;
  if (type !== "cancel") return;
  const transaction = elements.get((element.kind === "boundary-event" ? element.attachedTo : element.parent) ?? "");
  if (transaction?.kind === "sub-process" && transaction.transaction) return;
  throw invalid(document, `has a cancel event '${element.id}', but no transaction there`);
}
