import type { JsonObject, Source, TimerDefinition, UserTask } from "@tutti/kernel";
import { defined } from "../form/parts.ts";
import type { Context } from "./context.ts";
import { checkedTimer, sourceOf } from "./expression.ts";
import { attribute, type BpmnFile, child, childrenOf, extension, textOf } from "./file.ts";
import type { XmlNode } from "./xml.ts";

/** Who does a user task, until when, and what it asks for. */
export function userTaskOf(context: Context, node: XmlNode): Omit<UserTask, "kind" | "id" | "parent"> {
  const { file } = context;
  const name = attribute(node, "name");
  const assignment = extension(node, "zeebe:assignmentDefinition");
  const schedule = extension(node, "zeebe:taskSchedule");
  const urgency = extension(node, "zeebe:priorityDefinition");
  const assignee =
    attribute(assignment, "assignee") ??
    attribute(node, "camunda:assignee") ??
    (performers(file, node, /[pP]erformer$/).join(",") || undefined);
  const priority = attribute(urgency, "priority") ?? attribute(node, "camunda:priority");
  const named = [
    ...namesOf(attribute(assignment, "candidateGroups"), assignment ?? node),
    ...namesOf(attribute(assignment, "candidateUsers"), assignment ?? node),
    ...namesOf(attribute(node, "camunda:candidateGroups"), node),
    ...namesOf(attribute(node, "camunda:candidateUsers"), node),
    ...performers(file, node, /[pP]otentialOwner$/).flatMap((text) => namesOf(text, node)),
  ];
  const candidates = named.flatMap((name) => (typeof name === "string" ? name : []));
  const computed = named.filter((name) => typeof name !== "string");
  const instant = (text: string | undefined, at: XmlNode): TimerDefinition | undefined =>
    text === undefined
      ? undefined
      : checkedTimer(file, { kind: /^P/.test(text) ? "duration" : "date", value: sourceOf(text, at) }, at);
  return defined({
    title: name === undefined ? undefined : { literal: name },
    assignee: assignee === undefined ? undefined : sourceOf(assignee, assignment ?? node),
    candidates: candidates.length === 0 ? undefined : [...new Set(candidates)],
    candidatesFrom: computed.length === 0 ? undefined : computed,
    due: instant(attribute(schedule, "dueDate") ?? attribute(node, "camunda:dueDate"), schedule ?? node),
    followUp: instant(attribute(schedule, "followUpDate") ?? attribute(node, "camunda:followUpDate"), schedule ?? node),
    priority: priority === undefined ? undefined : numbered(priority, urgency ?? node),
    form: formOf(node),
  });
}

function numbered(text: string, at: XmlNode) {
  return /^\d{1,3}$/.test(text) ? { literal: Number(text) } : sourceOf(text, at);
}

/** Names separated by commas, or a list of them in FEEL, or an expression that gives either. */
function namesOf(text: string | undefined, at: XmlNode): (string | Source)[] {
  if (text === undefined) return [];
  const list = /^=\s*\[(.*)\]$/s.exec(text)?.[1] ?? (/^=\s*"[^"]*"$/.test(text) ? text.slice(1) : undefined);
  const quoted = list?.split(",").map((name) => /^"([^"\\]*)"$/.exec(name.trim())?.[1]);
  if (quoted !== undefined && !quoted.includes(undefined)) return quoted.flatMap((name) => name?.trim() || []);
  const source = sourceOf(text.replace(/^(?:user|group)\(\s*([$#]\{.*\})\s*\)$/, "$1"), at);
  if (!("literal" in source)) return [source];
  const plain = text.split(",").map((name) => name.trim());
  return plain.flatMap((name) => name.replace(/^(?:user|group)\(\s*(.*?)\s*\)$/, "$1") || []);
}

/**
 * BPMN's own roles, by element or by type: an expression that names who, `user(x)` and `group(x)` as Activiti's family
 * writes them, else the name of the resource that is referred to.
 */
function performers(file: BpmnFile, node: XmlNode, kind: RegExp): string[] {
  const roles = node.children.filter(
    (role) =>
      kind.test(role.name) || (role.name === "bpmn:resourceRole" && kind.test(attribute(role, "xsi:type") ?? "")),
  );
  return roles.flatMap((role) => {
    const assigned = child(role, "bpmn:resourceAssignmentExpression");
    const expression = child(assigned, "bpmn:formalExpression") ?? child(assigned, "bpmn:expression");
    const resource = file.find(textOf(child(role, "bpmn:resourceRef")));
    return textOf(expression) ?? attribute(resource, "name") ?? attribute(resource, "id") ?? [];
  });
}

const fieldTypes: Readonly<Record<string, string>> = {
  long: "integer",
  integer: "integer",
  boolean: "boolean",
  double: "number",
};

/** The fields of a Camunda 7 form as a JSON Schema. Forms that live elsewhere are only named. */
function formOf(node: XmlNode): JsonObject | undefined {
  const fields = [
    ...childrenOf(extension(node, "camunda:formData"), "camunda:formField"),
    ...childrenOf(child(node, "bpmn:extensionElements"), "camunda:formProperty"),
  ];
  if (fields.length === 0) return undefined;
  const properties: Record<string, JsonObject> = {};
  const required: string[] = [];
  for (const field of fields) {
    const id = attribute(field, "id") ?? "";
    const values = childrenOf(field, "camunda:value").flatMap((value) => attribute(value, "id") ?? []);
    properties[id] = {
      type: fieldTypes[attribute(field, "type") ?? "string"] ?? "string",
      ...defined({
        title: attribute(field, "label") ?? attribute(field, "name"),
        enum: values.length === 0 ? undefined : values,
      }),
    };
    const constraints = childrenOf(child(field, "camunda:validation"), "camunda:constraint");
    if (
      attribute(field, "required") === "true" ||
      constraints.some((constraint) => attribute(constraint, "name") === "required")
    )
      required.push(id);
  }
  return { type: "object", properties, ...(required.length > 0 && { required }) };
}
