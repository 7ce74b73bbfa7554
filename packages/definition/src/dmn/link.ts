import type { BusinessRuleTask, Element, ProgramDocument } from "@tutti/kernel";
import { hashProgram } from "../hash.ts";
import { type Decision, resultOf } from "./source.ts";

/** A task that asks for a decision by name has a job of this type before it is linked. */
const jobPrefix = "decision.";

/**
 * Puts decisions into the tasks that ask for them: from then on the host decides, and no worker. Tasks whose decision is
 * not among them keep their job. A program that asks for none of them is given back as it is.
 */
export function linkDecisions(program: ProgramDocument, decisions: readonly Decision[]): ProgramDocument {
  const byId = new Map(decisions.map((decision) => [decision.id, decision]));
  let linked = false;
  const elements = program.elements.map((element) => {
    const type = "job" in element ? element.job?.type : undefined;
    const decision = type?.startsWith(jobPrefix) === true ? byId.get(type.slice(jobPrefix.length)) : undefined;
    if (decision === undefined) return element;
    linked = true;
    return decidedBy(element, decision);
  });
  if (!linked) return program;
  const { hash: _hash, ...document } = { ...program, elements };
  return { ...document, hash: hashProgram(document) };
}

function decidedBy(element: Element, decision: Decision): Element {
  const { job: _job, kind: _kind, ...rest } = element as BusinessRuleTask;
  // Outputs read what a worker would have given under this name.
  const result = rest.outputs === undefined ? resultOf(decision) : "result";
  return { ...rest, kind: "business-rule-task", decision: { result, expression: decision.expression } };
}
