import type { JobDefinition, JsonObject, RetryPolicy } from "@tutti/kernel";
import { defaultRetry, defined } from "../form/parts.ts";
import { durationMs } from "../timer/duration.ts";
import { nameOf } from "../value.ts";
import { fixedText, sourceOf } from "./expression.ts";
import { attribute, type BpmnFile, childrenOf, extension, extensions, textOf } from "./file.ts";
import type { XmlNode } from "./xml.ts";

/**
 * The job of a task. Its type is what the vendor's extension says; without one, what `implementation` or the operation
 * names; without these the task's name in lower case with dashes, else its id.
 */
export function jobOf(file: BpmnFile, node: XmlNode): JobDefinition {
  return declaredJob(file, node) ?? { type: plainType(file, node), retry: retryOf(file, node) };
}

/** The job that an extension declares: what makes a job of elements that could do without one. */
export function declaredJob(file: BpmnFile, node: XmlNode): JobDefinition | undefined {
  const definition = extension(node, "zeebe:taskDefinition");
  const type = definition === undefined ? vendorType(node) : attribute(definition, "type");
  if (definition !== undefined && type === undefined) {
    file.report("bpmn-invalid", "Expected a job type, but there is none", definition);
  }
  if (type === undefined && definition === undefined) return undefined;
  const named = nameOf(sourceOf(type ?? "", definition ?? node));
  return { ...typed(named), retry: retryOf(file, node), ...defined({ headers: headersOf(file, node) }) };
}

/** A job's type, fixed or computed. */
export function typed({ fixed, from }: ReturnType<typeof nameOf>): Pick<JobDefinition, "type" | "typeFrom"> {
  return { type: fixed, ...defined({ typeFrom: from }) };
}

/** Camunda 7 and its relatives: the topic of an external task, else what would have been called. */
function vendorType(node: XmlNode): string | undefined {
  const topic = attribute(node, "camunda:topic");
  if (topic !== undefined) return topic;
  const called =
    attribute(node, "camunda:class") ??
    attribute(node, "camunda:delegateExpression") ??
    attribute(node, "camunda:expression");
  if (called !== undefined) return called.replace(/^[$#]\{\s*([\s\S]*?)\s*\}$/, "$1");
  const connector = textOf(
    extension(node, "camunda:connector")?.children.find((inner) => inner.name === "camunda:connectorId"),
  );
  const task = attribute(node, "drools:taskName");
  const type = attribute(node, "camunda:type");
  return connector ?? task ?? (type === "external" ? undefined : type);
}

function plainType(file: BpmnFile, node: XmlNode): string {
  const implementation = attribute(node, "implementation");
  if (implementation !== undefined && !implementation.startsWith("##")) return implementation;
  const operation = file.resolve(node, attribute(node, "operationRef"), ["bpmn:operation"]);
  const called = attribute(operation, "implementationRef") ?? attribute(operation, "name");
  const slug = (attribute(node, "name") ?? "")
    .normalize("NFC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}.]+/gu, "-")
    .replaceAll(/^-+|-+$/g, "");
  return called ?? (slug === "" ? file.idOf(node) : slug);
}

function headersOf(file: BpmnFile, node: XmlNode): JsonObject | undefined {
  const headers = childrenOf(extension(node, "zeebe:taskHeaders"), "zeebe:header");
  const entries: [string, string][] = headers.map((header) => [
    attribute(header, "key") ?? "",
    header.attributes.get("value") ?? "",
  ]);
  for (const field of extensions(node, "camunda:field")) {
    const value =
      field.attributes.get("stringValue") ?? field.attributes.get("expression") ?? textOf(field.children[0]) ?? "";
    entries.push([attribute(field, "name") ?? "", value]);
  }
  const unnamed = headers.find((header) => attribute(header, "key") === undefined);
  if (unnamed !== undefined) file.report("bpmn-invalid", "Expected a header with a key, but there is none", unnamed);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Zeebe counts attempts in total, as we do; `R3/PT10M` of Camunda 7 is three attempts, ten minutes apart. */
function retryOf(file: BpmnFile, node: XmlNode): RetryPolicy {
  const definition = extension(node, "zeebe:taskDefinition");
  const what = { of: "number of retries", instead: "write the number itself, 1 for a job that is tried once" };
  const retries = fixedText(file, what, { text: attribute(definition, "retries"), at: definition ?? node });
  if (retries !== undefined) {
    // Zeebe counts 0 and less as "no attempt is left", which nobody means: the job is tried once.
    if (/^-?\d{1,3}$/.test(retries)) return { ...defaultRetry, attemptsMax: Math.max(1, Number(retries)) };
    file.report(
      "bpmn-invalid",
      `Expected a number of retries from 1 to 999, but found ${retries.slice(0, 40)}`,
      definition ?? node,
    );
  }
  const cycle = extension(node, "camunda:failedJobRetryTimeCycle");
  const [, times, pause] = /^R(\d{1,3})\/(P.+)$/.exec(textOf(cycle) ?? "") ?? [];
  const pauseMs = pause === undefined ? undefined : durationMs(pause);
  if (cycle === undefined) return defaultRetry;
  if (pauseMs === undefined) {
    file.warn(
      "duration-invalid",
      `Expected a repetition such as R3/PT10M, but found ${(textOf(cycle) ?? "").slice(0, 40)}`,
      cycle,
    );
    return defaultRetry;
  }
  return {
    ...defaultRetry,
    attemptsMax: Math.max(1, Number(times)),
    backoff: { firstMs: pauseMs, factor: 1, maxMs: pauseMs },
  };
}
