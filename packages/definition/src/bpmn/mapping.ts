import type { Json, Mapping, Source } from "@tutti/kernel";
import { toSource, variableAt } from "../value.ts";
import type { Context } from "./context.ts";
import { variableName } from "./data.ts";
import { expressionSource, sourceOf } from "./expression.ts";
import { attribute, type BpmnFile, child, childrenOf, extension, extensions, kindOf, textOf } from "./file.ts";
import type { XmlNode } from "./xml.ts";

export interface Mappings {
  readonly inputs?: readonly Mapping[];
  readonly outputs?: readonly Mapping[];
}

/** What goes into an element and out of it, in whichever way its file says so; absent where it says nothing. */
export function mappingsOf(context: Context, node: XmlNode): Mappings {
  const { file } = context;
  const own = extension(node, "zeebe:ioMapping");
  if (own !== undefined) {
    return present(parameters(file, childrenOf(own, "zeebe:input")), parameters(file, childrenOf(own, "zeebe:output")));
  }
  const older = extension(node, "camunda:inputOutput");
  if (older !== undefined) {
    return present(named(file, older, "camunda:inputParameter"), named(file, older, "camunda:outputParameter"));
  }
  const passed = [
    passing(file, extensions(node, "camunda:in")),
    passing(file, extensions(node, "camunda:out")),
  ] as const;
  if (passed[0].length + passed[1].length > 0) return present(passed[0], passed[1]);
  const loop = child(node, "bpmn:multiInstanceLoopCharacteristics");
  const collection = textOf(child(loop, "bpmn:loopDataOutputRef")) ?? "";
  return present(
    childrenOf(node, "bpmn:dataInputAssociation").flatMap((inner) => association(context, inner, node)),
    childrenOf(node, "bpmn:dataOutputAssociation").flatMap((inner) => {
      // The loop itself collects what its items yield.
      const collected = textOf(child(inner, "bpmn:sourceRef")) === collection;
      return collected ? [] : association(context, inner, node);
    }),
  );
}

function present(inputs: readonly Mapping[], outputs: readonly Mapping[]): Mappings {
  return { ...(inputs.length > 0 && { inputs }), ...(outputs.length > 0 && { outputs }) };
}

/** A target as a variable; a path into one is refused, as a program writes whole variables. */
function targetOf(file: BpmnFile, node: XmlNode, name: string | undefined): string | undefined {
  if (name !== undefined && /^[\p{L}_][\p{L}\p{M}\p{N}_]{0,127}$/u.test(name)) return name;
  const found = name === undefined ? "there is none" : `it is ${JSON.stringify(name.slice(0, 80))}`;
  file.report("bpmn-invalid", `Expected a variable name of letters, digits and _ as target, but ${found}`, node);
  return undefined;
}

function parameters(file: BpmnFile, list: readonly XmlNode[]): Mapping[] {
  return list.flatMap((node) => {
    const target = targetOf(file, node, attribute(node, "target"));
    const source = attribute(node, "source");
    return target === undefined
      ? []
      : { target, source: source === undefined ? { literal: null } : sourceOf(source, node) };
  });
}

function named(file: BpmnFile, list: XmlNode, name: string): Mapping[] {
  return childrenOf(list, name).flatMap((node) => {
    const target = targetOf(file, node, attribute(node, "name"));
    return target === undefined ? [] : { target, source: parameterValue(file, node) };
  });
}

function parameterValue(file: BpmnFile, node: XmlNode): Source {
  if (node.children.length === 0) return sourceOf(textOf(node) ?? "", node);
  return toSource(nested(file, node), node.position);
}

/** Lists and maps of texts, which may hold expressions themselves. */
function nested(file: BpmnFile, node: XmlNode): Json {
  const [only] = node.children;
  if (only === undefined) return textOf(node) ?? "";
  if (only.name === "camunda:list") return only.children.map((value) => textOf(value) ?? "");
  if (only.name === "camunda:map") {
    return Object.fromEntries(only.children.map((entry) => [attribute(entry, "key") ?? "", nested(file, entry)]));
  }
  file.refuse(`a ${kindOf(only)} as the value of a parameter`, only);
  return null;
}

/** `camunda:in` and `camunda:out` of a call: one variable, an expression, or all. */
function passing(file: BpmnFile, list: readonly XmlNode[]): Mapping[] {
  return list.flatMap((node) => {
    if (attribute(node, "variables") !== undefined || attribute(node, "businessKey") !== undefined) return [];
    const target = targetOf(file, node, attribute(node, "target"));
    const expression = attribute(node, "sourceExpression");
    const source = attribute(node, "source");
    if (target === undefined) return [];
    if (expression !== undefined) return { target, source: sourceOf(expression, node) };
    return { target, source: variableAt(source ?? target, node.position) };
  });
}

/** BPMN's own way: from a data object to an input of the task, or from an output of it; or assigned piece by piece. */
function association(context: Context, node: XmlNode, element: XmlNode): Mapping[] {
  const { file, data } = context;
  const to = textOf(child(node, "bpmn:targetRef"));
  const from = textOf(child(node, "bpmn:sourceRef"));
  const nameOf = (reference: string | undefined): string | undefined =>
    reference === undefined
      ? undefined
      : (data.get(reference) ?? data.get(reference.replace(/^[^:]*:/, "")) ?? undefined);
  const assignments = childrenOf(node, "bpmn:assignment");
  if (assignments.length > 0) {
    return assignments.flatMap((assignment) => {
      const value = child(assignment, "bpmn:from");
      const written = textOf(child(assignment, "bpmn:to"))?.replace(/^[$#]\{\s*|\s*\}$|^=\s*/g, "");
      const target = nameOf(written) ?? nameOf(to) ?? (written === undefined ? undefined : variableName(written));
      if (target === undefined || value === undefined) return [];
      return { target, source: expressionSource(file, value) };
    });
  }
  const transformation = child(node, "bpmn:transformation");
  const [source, target] = [nameOf(from), nameOf(to)];
  const name = target ?? source;
  if (name === undefined) {
    file.warn(
      "bpmn-invalid",
      `Expected data at an end, but this association of ${file.idOf(element)} connects none`,
      node,
    );
    return [];
  }
  if (transformation !== undefined) return [{ target: name, source: expressionSource(file, transformation) }];
  // What is drawn to a task, and not to an input of it, is there under its own name, if the task has anything to say of it.
  const implied = source === undefined || target === undefined;
  return [{ target: name, source: variableAt(source ?? name, node.position), ...(implied && { optional: true }) }];
}
