import type { Element, ElementId, Flow, Json, ProgramDocument, UserTask } from "@tutti/kernel";
import { asks } from "./choice.ts";

/**
 * The same process without its data: conditions and collections become questions, what only reads or writes variables
 * goes. What may happen in the process may happen here; a condition that is asked twice may be answered both ways.
 */
export function abstractProgram(document: ProgramDocument): ProgramDocument {
  const elements = document.elements.map((element) => abstractElement(element, document));
  return { ...document, variables: [], outputs: [], elements, flows: abstractFlows(document) };
}

type Fields = Record<string, Json>;

const anything: Json = { literal: "anything" };

/** Fields that only move data, or say who does the work and until when. */
const dropped: readonly string[] = [
  "inputs",
  "outputs",
  "variables",
  "title",
  "assignee",
  "candidates",
  "candidatesFrom",
  "processFrom",
  "late",
  "due",
  "followUp",
  "priority",
  "form",
  "output",
  "extension",
  "documentation",
];

function abstractElement(element: Element, document: ProgramDocument): Element {
  // Elements are plain JSON, and most of their fields are treated alike whatever their kind.
  const fields = { ...(element as unknown as Fields) };
  for (const name of dropped) delete fields[name];
  if (element.kind === "user-task") fields["sla"] = escalationsOf(element);
  if (element.kind === "script-task") fields["assignments"] = [];
  if ("loop" in element && element.loop !== undefined) {
    fields["loop"] = abstractLoop(element.loop as unknown as Fields, document);
  }
  if (fields["activation"] !== undefined) fields["activation"] = asks("activation") as unknown as Json;
  if (fields["completion"] !== undefined) fields["completion"] = asks("condition") as unknown as Json;
  if (fields["activate"] !== undefined) {
    fields["activate"] = asks("activate", choosableIn(document, element.id).join(",")) as unknown as Json;
  }
  if (fields["job"] !== undefined) fields["job"] = withFixedType(fields["job"] as Fields);
  if (fields["trigger"] !== undefined)
    fields["trigger"] = isThrown(element)
      ? abstractThrow(fields["trigger"] as Fields, document)
      : abstractTrigger(fields["trigger"] as Fields);
  if (fields["message"] !== undefined) fields["message"] = { name: anything };
  if (fields["decision"] !== undefined)
    fields["decision"] = { result: "anything", expression: asks("nothing") as unknown as Json };
  return fields as unknown as Element;
}

/** What can be chosen in an ad-hoc sub-process: activities and intermediate events that no flow or link leads to. */
export function choosableIn(document: ProgramDocument, container: ElementId): ElementId[] {
  const led = new Set(document.flows.map((flow) => flow.to));
  return document.elements
    .filter((element) => element.parent === container && !led.has(element.id) && element.kind !== "boundary-event")
    .filter((element) => !("triggeredByEvent" in element || "forCompensation" in element))
    .filter(({ kind }) => !/gateway$|^(?:start|end)-event$/.test(kind))
    .filter(
      (element) =>
        !("trigger" in element && element.trigger.type === "link" && element.kind === "intermediate-catch-event"),
    )
    .map((element) => element.id);
}

/** Of what happens to a late task only escalations lead anywhere; each comes once. */
function escalationsOf(task: UserTask): Json {
  const escalating = (task.sla ?? []).filter(({ action }) => action.type === "escalate");
  return escalating.map(({ on, after, action }) => ({
    on,
    after: { kind: after.kind, value: anything },
    action,
  })) as unknown as Json;
}

/** How often at most a loop goes round that counts: the second time shows what a repetition does. */
const roundsMax = 2;

function abstractLoop(loop: Fields, document: ProgramDocument): Json {
  // Each is a question of its own, even where the same is asked.
  const condition = () => asks("condition") as unknown as Json;
  if (loop["mode"] === "standard") return { ...loop, condition: condition(), maximum: roundsMax };
  const abstracted: Fields = { collection: asks("items") as unknown as Json };
  for (const name of ["mode", "item", "onFailure", "edgePolicy"])
    if (loop[name] !== undefined) abstracted[name] = loop[name];
  for (const name of ["completion", "accept"]) if (loop[name] !== undefined) abstracted[name] = condition();
  if (loop["behavior"] !== undefined) abstracted["behavior"] = loop["behavior"];
  if (loop["event"] !== undefined) abstracted["event"] = abstractThrow(loop["event"] as Fields, document);
  if (loop["events"] !== undefined) {
    const events = (loop["events"] as Fields[]).map(({ event }) => ({
      condition: condition(),
      event: abstractThrow(event as Fields, document),
    }));
    abstracted["events"] = events;
  }
  return abstracted;
}

/** Which type of job it is, is nothing that the process goes on differently by. */
function withFixedType(job: Fields): Fields {
  const { typeFrom: _computed, ...fixed } = job;
  return fixed;
}

/** A code that is computed may be any that something in the process catches, or another one. */
function codesCaught(document: ProgramDocument, type: string): string[] {
  const caught = document.elements.flatMap((element) => {
    if (element.kind !== "boundary-event" && element.kind !== "start-event") return [];
    const { trigger } = element;
    const triggers = trigger.type === "multiple" ? trigger.triggers : [trigger];
    return triggers.flatMap((each) =>
      each.type === type && "code" in each && each.code !== undefined ? [each.code] : [],
    );
  });
  return [...new Set(caught)];
}

function isThrown({ kind }: Element): boolean {
  return kind === "end-event" || kind === "intermediate-throw-event";
}

/** A code that is thrown may be computed. */
function abstractThrow(trigger: Fields, document: ProgramDocument): Fields {
  if (trigger["type"] === "multiple") {
    return { ...trigger, triggers: (trigger["triggers"] as Fields[]).map((each) => abstractThrow(each, document)) };
  }
  const abstracted = abstractTrigger(trigger);
  if (trigger["codeFrom"] === undefined) return abstracted;
  const codes = codesCaught(document, String(trigger["type"])).map(encodeURIComponent);
  return { ...abstracted, codeFrom: asks("code", codes.join(",")) as unknown as Json };
}

/** A condition may come to hold any time, as a message may come any time. */
function abstractTrigger(trigger: Fields): Fields {
  switch (trigger["type"]) {
    case "timer":
      return { type: "timer", timer: { kind: (trigger["timer"] as Fields)["kind"] ?? "date", value: anything } };
    case "conditional":
      return { type: "message", message: { name: anything } };
    case "message": {
      const job = trigger["job"] as Fields | undefined;
      return { ...trigger, message: { name: anything }, ...(job === undefined ? {} : { job: withFixedType(job) }) };
    }
    case "signal": {
      // Who waits in the instance that broadcasts it gets it: which signal it is matters, as far as that is known.
      const { name } = trigger["signal"] as { readonly name: Fields };
      return { type: "signal", signal: { name: "literal" in name ? name : anything } };
    }
    case "multiple":
      return { ...trigger, triggers: (trigger["triggers"] as Fields[]).map(abstractTrigger) };
    default: {
      const { message: _message, payload: _payload, ...rest } = trigger;
      return rest;
    }
  }
}

/** What a gateway without a default route would stop at is for other checks: here its last route is always open. */
function abstractFlows(document: ProgramDocument): Flow[] {
  const open = new Set<string>();
  for (const element of document.elements) {
    if (element.kind !== "exclusive-gateway" || element.defaultFlow !== undefined) continue;
    const last = document.flows.findLast((flow) => flow.from === element.id);
    if (last !== undefined) open.add(last.id);
  }
  return document.flows.map(({ condition, ...flow }) =>
    condition === undefined || open.has(flow.id) ? flow : { ...flow, condition: asks("condition") },
  );
}
