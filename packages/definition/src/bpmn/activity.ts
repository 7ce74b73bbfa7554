import type {
  Activity,
  AdHocSubProcess,
  CallActivity,
  ElementId,
  JobDefinition,
  Mapping,
  ScriptTask,
  Source,
} from "@tutti/kernel";
import { defined } from "../form/parts.ts";
import { cel, nameOf, variableAt } from "../value.ts";
import { type Base, baseOf, type Context, tolerate } from "./context.ts";
import { declaredData, variableName } from "./data.ts";
import { deadlinesOf } from "./deadline.ts";
import { feel, fixedText, sourceOf } from "./expression.ts";
import { attribute, type BpmnFile, child, extension, filled, flag, textOf } from "./file.ts";
import { foreignAssignments } from "./foreign-script.ts";
import { defaultFlowOf } from "./gateway.ts";
import { declaredJob, jobOf, typed } from "./job.ts";
import { celOf } from "./juel.ts";
import { countedCondition, loopOf } from "./loop.ts";
import { mappingsOf } from "./mapping.ts";
import { messageOf } from "./message.ts";
import { assignmentsOf } from "./script.ts";
import { userTaskOf } from "./user-task.ts";
import type { XmlNode } from "./xml.ts";

type Shared = Base &
  Partial<Pick<Activity, "inputs" | "outputs" | "loop" | "compensation" | "forCompensation" | "defaultFlow">>;
type Build = (context: Context, node: XmlNode, shared: Shared) => Activity | undefined;

/** Each kind of activity as an element; undefined when it cannot be one, and that was reported. */
export const activities: Readonly<Record<string, Build>> = {
  "bpmn:task": jobOrPass,
  "bpmn:manualTask": jobOrPass,
  "bpmn:serviceTask": serviceTask,
  "bpmn:sendTask": sendTask,
  "bpmn:receiveTask": receiveTask,
  "bpmn:userTask": userTask,
  "bpmn:scriptTask": scriptTask,
  "bpmn:businessRuleTask": businessRuleTask,
  "bpmn:callActivity": callActivity,
  "bpmn:subProcess": subProcess,
  "bpmn:transaction": subProcess,
  "bpmn:adHocSubProcess": adHocSubProcess,
};

/** What each kind leaves open when it maps nothing: whether it sees, and may write, every variable. */
const openness: Readonly<Record<string, { readonly inputs: boolean; readonly outputs: boolean }>> = {
  "service-task": { inputs: true, outputs: true },
  "business-rule-task": { inputs: true, outputs: true },
  "user-task": { inputs: true, outputs: true },
  "send-task": { inputs: true, outputs: false },
  "receive-task": { inputs: false, outputs: true },
  // Its job sees the variables; what it answers is what it chooses.
  "ad-hoc-sub-process": { inputs: true, outputs: false },
  "call-activity": { inputs: true, outputs: true },
};

/** Builds an activity with what all of them share: data, loop, compensation, quantities. */
export function activityOf(context: Context, node: XmlNode, parent: ElementId | null): Activity | undefined {
  const { file, handlers, undoing } = context;
  const id = file.idOf(node);
  const mappings = mappingsOf(context, node);
  // The mark on an event sub-process says once more what its start event waits for.
  const marked = flag(node, "isForCompensation", false) && !flag(node, "triggeredByEvent", false);
  const handled = marked || undoing.has(id);
  const shared: Shared = {
    ...baseOf(context, node, parent),
    ...mappings,
    ...defined({
      loop: loopOf(context, node),
      startQuantity: quantityOf(context, node, "startQuantity"),
      completionQuantity: quantityOf(context, node, "completionQuantity"),
      compensation: handlers.get(id),
      forCompensation: handled ? true : undefined,
      defaultFlow: defaultFlowOf(context, node),
    }),
  };
  const built = activities[node.name]?.(context, node, shared);
  const open = built === undefined ? undefined : openness[built.kind];
  if (open !== undefined && built !== undefined) {
    const inputs = open.inputs && built.inputs === undefined;
    const outputs = open.outputs && built.outputs === undefined;
    if (inputs || outputs) context.open.set(id, { inputs, outputs });
  }
  return built;
}

function quantityOf(context: Context, node: XmlNode, name: "startQuantity" | "completionQuantity"): number | undefined {
  const text = attribute(node, name);
  if (text === undefined || text === "1") return undefined;
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1_000) return Number(text);
  context.file.report("bpmn-invalid", `Expected ${name} from 1 to 1000, but found ${text.slice(0, 40)}`, node);
  return undefined;
}

/** A task that nobody is named for passes; with a job it is done by a worker. */
function jobOrPass(context: Context, node: XmlNode, shared: Shared): Activity {
  const job = declaredJob(context.file, node);
  return job === undefined ? { ...shared, kind: "manual-task" } : { ...shared, kind: "service-task", job };
}

function userTask(context: Context, node: XmlNode, { inputs: given, ...shared }: Shared): Activity {
  const { inputs, sla } = deadlinesOf(context, node, given ?? []);
  return {
    ...shared,
    kind: "user-task",
    ...(inputs.length > 0 && { inputs }),
    ...userTaskOf(context, node),
    ...(sla.length > 0 && { sla }),
  };
}

/** One that only works out an expression is a script; what calls code is a job. */
function serviceTask(context: Context, node: XmlNode, shared: Shared): Activity {
  const { outputs: _outputs, ...rest } = shared;
  const written = /^[$#]\{([\s\S]*)\}$/.exec(attribute(node, "camunda:expression") ?? "")?.[1];
  const computed = written === undefined ? undefined : celOf(written);
  if (computed?.ok !== true) return { ...shared, kind: "service-task", job: jobOf(context.file, node) };
  const target = resultVariableOf(node);
  const result =
    target === undefined ? [] : [{ target: variableName(target), source: cel(computed.text, node.position) }];
  return scripted(rest, [...result, ...(shared.outputs ?? [])]);
}

/** Where Camunda 7 and its relatives put what a script or an expression gives. */
function resultVariableOf(node: XmlNode): string | undefined {
  return attribute(node, "camunda:resultVariable") ?? attribute(node, "camunda:resultVariableName");
}

function sendTask(context: Context, node: XmlNode, shared: Shared): Activity | undefined {
  const job = declaredJob(context.file, node);
  if (job !== undefined) return { ...shared, kind: "send-task", job };
  const named = attribute(node, "messageRef") ?? attribute(node, "operationRef");
  // A drawing without a message still says that somebody sends something: a worker does.
  if (named === undefined) return { ...shared, kind: "send-task", job: jobOf(context.file, node) };
  const message = messageOf(context, node, { element: node, payload: shared.inputs });
  return message === undefined ? undefined : { ...shared, kind: "send-task", message };
}

function receiveTask(context: Context, node: XmlNode, shared: Shared): Activity | undefined {
  const message = messageOf(context, node, { element: node });
  const begins = flag(node, "instantiate", false) ? { instantiate: true as const } : {};
  return message === undefined ? undefined : { ...shared, kind: "receive-task", message, ...begins };
}

/** A decision of another file is made by a worker, under the decision's name. */
function businessRuleTask(context: Context, node: XmlNode, shared: Shared): Activity {
  const { file } = context;
  const called = extension(node, "zeebe:calledDecision");
  const decision = attribute(called, "decisionId") ?? attribute(node, "camunda:decisionRef");
  if (decision === undefined) return { ...shared, kind: "business-rule-task", job: jobOf(file, node) };
  const { type, typeFrom, headers } = decisionJob(sourceOf(decision, called ?? node), node);
  const result = attribute(called, "resultVariable") ?? attribute(node, "camunda:resultVariable");
  const outputs: Mapping[] | undefined =
    result === undefined ? undefined : [{ target: variableName(result), source: variableAt("result", node.position) }];
  const job = { ...jobOf(file, node), type, ...defined({ typeFrom, headers }) };
  return { ...shared, kind: "business-rule-task", job, ...defined({ outputs: shared.outputs ?? outputs }) };
}

/** A decision whose name is computed is asked for by the type of the job alone. */
function decisionJob(source: Source, at: XmlNode): Pick<JobDefinition, "type" | "typeFrom" | "headers"> {
  const { fixed, from } = nameOf(source);
  if (from === undefined) return { type: `decision.${fixed}`, headers: { decision: fixed } };
  const text = `"decision." + (${fixed.slice(2)})`;
  return typed(nameOf("language" in from && from.language === "cel" ? cel(text, at.position) : feel(text, at)));
}

function callActivity(context: Context, node: XmlNode, shared: Shared): Activity | undefined {
  const { file, processes } = context;
  const vendor = extension(node, "zeebe:calledElement");
  const written =
    attribute(vendor, "processId") ?? attribute(node, "calledElement") ?? attribute(node, "drools:calledElementByName");
  if (written === undefined) {
    const fault = `Expected a process that ${shared.id} calls, but there is none`;
    tolerate(context, node, { fault, here: "a worker does it" });
    return context.plain ? { ...shared, kind: "service-task", job: jobOf(file, node) } : undefined;
  }
  const text = written.replace(/^[A-Za-z_][\w.-]*:(?=[^:]+$)/, "");
  const { fixed: process, from: processFrom } = nameOf(sourceOf(text, vendor ?? node));
  const called = processFrom === undefined ? file.find(process) : undefined;
  const task = called === undefined ? undefined : globalTasks[called.name];
  if (called !== undefined && task !== undefined) return globalTask(context, shared, { call: node, called, task });
  const binding = bindingOf(file, node, vendor) ?? (processes.has(process) ? "deployment" : "latest");
  return { ...shared, kind: "call-activity", process, ...defined({ processFrom }), binding };
}

const globalTasks: Readonly<Record<string, string>> = {
  "bpmn:globalTask": "bpmn:task",
  "bpmn:globalUserTask": "bpmn:userTask",
  "bpmn:globalManualTask": "bpmn:manualTask",
  "bpmn:globalScriptTask": "bpmn:scriptTask",
  "bpmn:globalBusinessRuleTask": "bpmn:businessRuleTask",
};

/** A task that several processes call is that task, with the data, the loop and the name that the call gives it. */
function globalTask(
  context: Context,
  shared: Shared,
  { call, called, task }: { readonly call: XmlNode; readonly called: XmlNode; readonly task: string },
): Activity | undefined {
  const name = attribute(called, "name") ?? attribute(call, "name") ?? shared.id;
  const node = { ...called, name: task, attributes: new Map([...called.attributes, ["name", name]]) };
  return activities[task]?.(context, node, shared);
}

function bindingOf(file: BpmnFile, node: XmlNode, vendor: XmlNode | undefined): CallActivity["binding"] | undefined {
  const kind = attribute(vendor, "bindingType") ?? attribute(node, "camunda:calledElementBinding");
  const version =
    attribute(vendor, "versionTag") ??
    attribute(node, "camunda:calledElementVersion") ??
    attribute(node, "camunda:calledElementVersionTag");
  if (kind === "deployment" || kind === "latest") return kind;
  if (kind === undefined || version === undefined) return undefined;
  const what = { of: "version", instead: "name it, or bind to the latest version and roll that out" };
  const fixed = fixedText(file, what, { text: version, at: vendor ?? node });
  return fixed === undefined ? undefined : { version: fixed };
}

function subProcess(context: Context, node: XmlNode, shared: Shared): Activity {
  const variables = declaredData(context.file, node, context.data);
  return {
    ...shared,
    kind: "sub-process",
    ...(variables.length > 0 && { variables }),
    ...(flag(node, "triggeredByEvent", false) && { triggeredByEvent: true }),
    ...(node.name === "bpmn:transaction" && { transaction: true }),
  };
}

/** Zeebe's list of what is active at the start, or its job, chooses; without either, people do. */
function adHocSubProcess(context: Context, node: XmlNode, shared: Shared): AdHocSubProcess {
  const { file } = context;
  const vendor = extension(node, "zeebe:adHoc");
  const activate = attribute(vendor, "activeElementsCollection");
  const target = attribute(vendor, "outputCollection");
  const yielded = attribute(vendor, "outputElement");
  const condition = filled(node, "bpmn:completionCondition");
  const variables = declaredData(file, node, context.data);
  return {
    ...shared,
    kind: "ad-hoc-sub-process",
    ordering: attribute(node, "ordering") === "Sequential" ? "sequential" : "parallel",
    cancelRemaining: flag(node, "cancelRemainingInstances", true),
    ...(variables.length > 0 && { variables }),
    ...defined({
      activate: activate === undefined || vendor === undefined ? undefined : sourceOf(activate, vendor),
      job: declaredJob(file, node),
      completion: condition === undefined ? undefined : countedCondition(file, condition, "active"),
      output:
        target === undefined || yielded === undefined || vendor === undefined
          ? undefined
          : { target, source: sourceOf(yielded, vendor) },
    }),
  };
}

const computable = /^(?:feel|cel|juel)?$|FEEL/i;

/** A script of expressions is run here; one in a programming language is a job for a worker that speaks it. */
function scriptTask(context: Context, node: XmlNode, shared: Shared): Activity {
  const { file } = context;
  const { outputs: _outputs, ...rest } = shared;
  const declared = declaredJob(file, node);
  if (declared !== undefined) return { ...shared, kind: "service-task", job: declared };
  const vendor = extension(node, "zeebe:script");
  const expression = attribute(vendor, "expression");
  if (vendor !== undefined && expression !== undefined) {
    const target = variableName(attribute(vendor, "resultVariable") ?? "result");
    const source = sourceOf(expression, vendor);
    return scripted(rest, [{ target, source }, ...(shared.outputs ?? [])]);
  }
  const format = attribute(node, "scriptFormat") ?? "";
  const script = child(node, "bpmn:script");
  const text = textOf(script) ?? "";
  const isOurs = computable.test(format.trim());
  const isFeel = /feel/i.test(format);
  const given = { text, at: script ?? node, result: resultVariableOf(node) };
  const assignments = isOurs ? assignmentsOf(given, isFeel) : undefined;
  if (assignments !== undefined) return scripted(rest, [...assignments, ...(shared.outputs ?? [])]);
  // `http://www.java.com/java` and `text/javascript` end in the language's name.
  const language = /[a-z0-9+#-]*$/.exec(format.toLowerCase().trim())?.[0] || "script";
  const position = (script ?? node).position;
  const foreign = resultVariableOf(node) === undefined ? foreignAssignments({ language, text }, position) : undefined;
  if (foreign !== undefined) return scripted(rest, [...foreign, ...(shared.outputs ?? [])]);
  const type = `script.${variableName(language)}`;
  file.warn(
    "element-unsupported",
    `Expected ${wantedOf(format)}: ${shared.id} becomes a job of the type ${type}`,
    script ?? node,
  );
  const job = {
    ...jobOf(file, node),
    type,
    headers: { language: format, script: text },
  };
  return { ...shared, kind: "service-task", job };
}

/** What a script would have to be to run here, and what it is. */
function wantedOf(format: string): string {
  const named = format.trim();
  if (named === "") return "a script in FEEL or CEL, but no language is named";
  if (!computable.test(named)) return `a script in FEEL or CEL, but found ${named.slice(0, 80)}`;
  const context = /feel/i.test(named) ? ", or a context {n: n + 1}" : "";
  return `assignments (n = n + 1${context}) or a variable for the result (camunda:resultVariable), but there is neither`;
}

function scripted(shared: Omit<Shared, "outputs">, assignments: readonly Mapping[]): ScriptTask {
  return { ...shared, kind: "script-task", assignments };
}
