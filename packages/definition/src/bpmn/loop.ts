import type { Expression, ItemEvent, MultiInstance, Source, StandardLoop } from "@tutti/kernel";
import { defined } from "../form/parts.ts";
import { variableAt } from "../value.ts";
import { type Context, tolerate } from "./context.ts";
import { variableName } from "./data.ts";
import { conditionOf, expressionSource, feel, sourceOf } from "./expression.ts";
import { attribute, type BpmnFile, child, childrenOf, extension, filled, flag, textOf } from "./file.ts";
import { placeIn, throwTrigger } from "./trigger.ts";
import type { XmlNode } from "./xml.ts";

/** The loop of an activity; undefined when it has none, or when it cannot be read and that was reported. */
export function loopOf(context: Context, activity: XmlNode): MultiInstance | StandardLoop | undefined {
  const node = child(activity, "bpmn:multiInstanceLoopCharacteristics");
  const standard = child(activity, "bpmn:standardLoopCharacteristics");
  if (node !== undefined && standard !== undefined) {
    const fault = `Expected one kind of loop, but ${context.file.idOf(activity)} has two`;
    tolerate(context, standard, { code: "loop-invalid", fault, here: "only the multi-instance one counts" });
  }
  if (node !== undefined) return multiInstance(context, activity, node);
  return standard === undefined ? undefined : standardLoop(context, standard);
}

/** Without a condition it goes on until its maximum. */
function standardLoop(context: Context, node: XmlNode): StandardLoop | undefined {
  const { file } = context;
  const written = filled(node, "bpmn:loopCondition");
  const maximum = attribute(node, "loopMaximum");
  const rounds = maximum === undefined ? undefined : Number(maximum);
  if (rounds !== undefined && !(Number.isSafeInteger(rounds) && rounds >= 0)) {
    file.report("loop-invalid", `Expected a loopMaximum of 0 or more, but found ${maximum?.slice(0, 40)}`, node);
    return undefined;
  }
  if (written === undefined && rounds === undefined) {
    const fault = "Expected a loopCondition or a loopMaximum, but there is neither";
    tolerate(context, node, { code: "loop-invalid", fault, here: "it runs once" });
    return undefined;
  }
  const condition = written === undefined ? feel("true", node) : conditionOf(file, written);
  if (condition === undefined) return undefined;
  return { mode: "standard", condition, testBefore: flag(node, "testBefore", false), ...defined({ maximum: rounds }) };
}

function multiInstance(context: Context, activity: XmlNode, node: XmlNode): MultiInstance | undefined {
  const { file } = context;
  const vendor = extension(node, "zeebe:loopCharacteristics");
  const sequential = flag(node, "isSequential", false);
  const items = itemsOf(context, activity, node);
  if (items === undefined) {
    const fault = `Expected a collection or a cardinality, but the loop of ${file.idOf(activity)} has none`;
    tolerate(context, node, { code: "loop-invalid", fault, here: "it runs once" });
    return undefined;
  }
  const condition = filled(node, "bpmn:completionCondition");
  const active = sequential ? "0" : "(total - completed - failed - skipped)";
  const completion = condition === undefined ? undefined : countedCondition(file, condition, active);
  const target = attribute(vendor, "outputCollection") ?? outputName(context, activity, node);
  const item = child(node, "bpmn:outputDataItem");
  const yielded = attribute(vendor, "outputElement");
  const source: Source | undefined =
    yielded !== undefined && vendor !== undefined
      ? sourceOf(yielded, vendor)
      : item === undefined
        ? undefined
        : variableAt(variableName(attribute(item, "name") ?? file.idOf(item)), item.position);
  return {
    mode: sequential ? "sequential" : "parallel",
    ...items,
    ...defined({
      completion,
      output: target === undefined || source === undefined ? undefined : { target, source },
    }),
    ...behaviorOf(context, node, active),
  };
}

/** The events that items throw as they complete. Without `behavior`, or with `All`, none is thrown. */
function behaviorOf(
  context: Context,
  node: XmlNode,
  active: string,
): Pick<MultiInstance, "behavior" | "event" | "events"> {
  const { file } = context;
  const behavior = attribute(node, "behavior") ?? "All";
  if (behavior === "None" || behavior === "One") {
    const kind = behavior === "None" ? "none" : "one";
    const definition = file.resolve(node, attribute(node, `${kind}BehaviorEventRef`));
    const event = definition === undefined ? undefined : itemEvent(context, definition, node);
    return { behavior: kind, ...defined({ event }) };
  }
  if (behavior !== "Complex") return {};
  const events = childrenOf(node, "bpmn:complexBehaviorDefinition").flatMap((inner) => {
    const thrower = child(inner, "bpmn:event");
    const written = child(inner, "bpmn:condition");
    const definition = thrower?.children.find((each) => each.name.endsWith("EventDefinition"));
    const condition = written === undefined ? undefined : countedCondition(file, written, active);
    const event = definition === undefined ? undefined : itemEvent(context, definition, thrower ?? inner);
    if (condition !== undefined && event !== undefined) return { condition, event };
    if (written === undefined || definition === undefined)
      file.report("loop-invalid", "Expected a condition and an event with a definition, but one is missing", inner);
    return [];
  });
  return { behavior: "complex", events };
}

/** What an item may throw: a message, a signal or an escalation. */
function itemEvent(context: Context, definition: XmlNode, at: XmlNode): ItemEvent | undefined {
  const thrown = throwTrigger(context, definition, at);
  if (thrown === undefined || thrown.type === "signal" || thrown.type === "escalation") return thrown;
  if (thrown.type === "message" && thrown.job === undefined) return { type: "message", message: thrown.message };
  context.file.refuse(
    `a loop that throws ${thrown.type === "message" ? "a message by a job" : thrown.type}`,
    placeIn(context, definition, at),
  );
  return undefined;
}

/** What the loop runs over, and what an item is called. */
function itemsOf(
  context: Context,
  activity: XmlNode,
  node: XmlNode,
): Pick<MultiInstance, "collection" | "item"> | undefined {
  const vendor = extension(node, "zeebe:loopCharacteristics");
  const given = attribute(vendor, "inputCollection");
  if (vendor !== undefined && given !== undefined) {
    return { collection: sourceOf(given, vendor), item: attribute(vendor, "inputElement") ?? "item" };
  }
  const older = attribute(node, "camunda:collection");
  const item = attribute(node, "camunda:elementVariable") ?? itemName(node) ?? "item";
  if (older !== undefined) {
    const bare = /^[A-Za-z_][A-Za-z0-9_]*$/.test(older);
    return { collection: bare ? variableAt(older, node.position) : sourceOf(older, node), item };
  }
  const reference = textOf(child(node, "bpmn:loopDataInputRef"));
  if (reference !== undefined) {
    const name = sourceBehind(context, activity, reference);
    return { collection: variableAt(name, node.position), item };
  }
  const cardinality = child(node, "bpmn:loopCardinality");
  return cardinality === undefined || textOf(cardinality) === undefined ? undefined : counted(context, cardinality);
}

function itemName(node: XmlNode): string | undefined {
  const item = child(node, "bpmn:inputDataItem");
  return item === undefined ? undefined : variableName(attribute(item, "name") ?? attribute(item, "id") ?? "item");
}

/** A loop over an input of the activity runs over the data that flows into that input. */
function sourceBehind(context: Context, activity: XmlNode, reference: string): string {
  const feeding = childrenOf(activity, "bpmn:dataInputAssociation").find(
    (inner) => textOf(child(inner, "bpmn:targetRef")) === reference,
  );
  const from = textOf(child(feeding, "bpmn:sourceRef")) ?? reference;
  return context.data.get(from) ?? variableName(from);
}

/** The output of a loop goes where the activity's output of that name flows. */
function outputName(context: Context, activity: XmlNode, node: XmlNode): string | undefined {
  const reference = textOf(child(node, "bpmn:loopDataOutputRef"));
  if (reference === undefined) return undefined;
  const flowing = childrenOf(activity, "bpmn:dataOutputAssociation").find(
    (inner) => textOf(child(inner, "bpmn:sourceRef")) === reference,
  );
  const to = textOf(child(flowing, "bpmn:targetRef")) ?? reference;
  return context.data.get(to) ?? variableName(to);
}

/** A number of times becomes a list of that length: 1, 2, … visible as `loopCounter`. */
function counted(context: Context, node: XmlNode): Pick<MultiInstance, "collection" | "item"> {
  const given = expressionSource(context.file, node);
  const item = "loopCounter";
  // A text that is no number is computed, whether or not it says in which language.
  const computed =
    "literal" in given && Number.isNaN(Number(given.literal)) ? conditionOf(context.file, node) : undefined;
  const source = computed ?? given;
  const times = "literal" in source ? Number(source.literal) : Number.NaN;
  if ("literal" in source) {
    const fine = Number.isSafeInteger(times) && times >= 0 && times <= 100_000;
    if (!fine)
      context.file.report(
        "loop-invalid",
        `Expected a number from 0 to 100000, but found ${JSON.stringify(source.literal).slice(0, 80)}`,
        node,
      );
    return { collection: { literal: Array.from({ length: fine ? times : 0 }, (_, index) => index + 1) }, item };
  }
  const text = "variable" in source ? source.variable : source.text;
  // A range that ends below its start counts down in FEEL.
  return { collection: feel(`if (${text}) < 1 then [] else for i in 1..(${text}) return i`, node), item };
}

const counts: Readonly<Record<string, string>> = {
  numberOfInstances: "total",
  nrOfInstances: "total",
  numberOfCompletedInstances: "completed",
  nrOfCompletedInstances: "completed",
  numberOfTerminatedInstances: "(failed + skipped)",
};

/**
 * A condition that sees how far the loop or the ad-hoc sub-process is: under the names that BPMN and Camunda give the
 * counts, and through BPMN's own function for them.
 */
export function countedCondition(file: BpmnFile, node: XmlNode, active: string): Expression | undefined {
  const condition = conditionOf(file, node);
  if (condition === undefined) return undefined;
  const text = condition.text.replaceAll(/(?<![\w.])[A-Za-z]+Instances\b/g, (name) => {
    if (name === "numberOfActiveInstances" || name === "nrOfActiveInstances") return active;
    return (Object.hasOwn(counts, name) ? counts[name] : undefined) ?? name;
  });
  return { ...condition, text };
}
