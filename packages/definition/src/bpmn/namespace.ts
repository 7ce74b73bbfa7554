export const bpmnUri = "http://www.omg.org/spec/BPMN/20100524/MODEL";
export const zeebeUri = "http://camunda.org/schema/zeebe/1.0";
/** What BPMN cannot say of a Program stands in elements of this namespace. */
export const tuttiUri = "urn:tutti:bpmn:1";

/**
 * Prefixes by namespace. Camunda 7, Activiti and Flowable are one family: their attributes have the same names and
 * meanings, so they share a prefix here.
 */
const prefixes: Readonly<Record<string, string>> = {
  [bpmnUri]: "bpmn",
  // What the drafts of BPMN 2.0 used.
  "http://schema.omg.org/spec/BPMN/2.0": "bpmn",
  "http://www.omg.org/spec/BPMN/20100524/DI": "bpmndi",
  "http://www.omg.org/spec/DD/20100524/DI": "di",
  "http://www.omg.org/spec/DD/20100524/DC": "dc",
  "http://www.w3.org/2001/XMLSchema-instance": "xsi",
  [zeebeUri]: "zeebe",
  "http://camunda.org/schema/1.0/bpmn": "camunda",
  "http://activiti.org/bpmn": "camunda",
  "http://activiti.com/modeler": "activiti",
  "http://flowable.org/bpmn": "camunda",
  "http://www.jboss.org/drools": "drools",
  "http://www.signavio.com": "signavio",
  [tuttiUri]: "tutti",
};

export function prefixOf(uri: string, local: string): string {
  const prefix = Object.hasOwn(prefixes, uri) ? prefixes[uri] : `{${uri}}`;
  return prefix?.startsWith("{") ? `${prefix}${local}` : `${prefix}:${local}`;
}
