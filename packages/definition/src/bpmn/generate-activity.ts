import type { Element, JobDefinition, Mapping, MultiInstance, StandardLoop, ThrowTrigger } from "@tutti/kernel";
import { definitionsOf } from "./generate-event.ts";
import { expressionNode, fixed, ioMapping, nameText, type Roots, sourceText } from "./generate-part.ts";
import { isAssignment } from "./script.ts";
import { node, type OutNode } from "./write.ts";

/** What Zeebe's extensions say of an element: its job, its data, who does it, what it calls. */
export function activityExtensions(element: Element): OutNode[] {
  const job = "job" in element ? element.job : undefined;
  const trigger = "trigger" in element ? (element.trigger as ThrowTrigger) : undefined;
  const sending = trigger?.type === "message" ? trigger.job : undefined;
  const [inputs, outputs] = dataOf(element);
  return [...jobNodes(job ?? sending), ...ofKind(element), ioMapping(inputs, outputs)].filter(
    (made) => made !== undefined,
  );
}

function dataOf(element: Element): readonly [readonly Mapping[] | undefined, readonly Mapping[] | undefined] {
  const outputs = "outputs" in element ? element.outputs : undefined;
  if ("inputs" in element) return [element.inputs, outputs];
  const trigger = "trigger" in element ? (element.trigger as ThrowTrigger) : undefined;
  if (trigger?.type === "message") return [trigger.message.payload, outputs];
  if (trigger?.type === "signal") return [trigger.signal.payload, outputs];
  return [trigger?.type === "escalation" ? trigger.payload : undefined, outputs];
}

function jobNodes(job: JobDefinition | undefined): (OutNode | undefined)[] {
  if (job === undefined) return [];
  const headers = Object.entries(job.headers ?? {}).filter(
    ([key, value]) => typeof value === "string" && key === key.trim() && key !== "",
  );
  return [
    node("zeebe:taskDefinition", {
      type: nameText(job.type, job.typeFrom),
      retries: String(Math.min(job.retry.attemptsMax, 999)),
    }),
    headers.length === 0
      ? undefined
      : node(
          "zeebe:taskHeaders",
          {},
          headers.map(([key, value]) => node("zeebe:header", { key, value: String(value) })),
        ),
  ];
}

function ofKind(element: Element): (OutNode | undefined)[] {
  switch (element.kind) {
    case "user-task": {
      const { assignee, candidates, priority } = element;
      const names = candidates?.map(fixed).join(", ");
      // There is room for one beside the fixed ones; others are given below.
      const [computed] = element.candidatesFrom ?? [];
      return [
        node("zeebe:userTask"),
        assignee === undefined && names === undefined && computed === undefined
          ? undefined
          : node("zeebe:assignmentDefinition", {
              assignee: assignee === undefined ? undefined : sourceText(assignee),
              candidateGroups: names,
              candidateUsers: computed === undefined ? undefined : sourceText(computed),
            }),
        priority === undefined
          ? undefined
          : node("zeebe:priorityDefinition", { priority: sourceText(priority).replace(/^=(?=\d+$)/, "") }),
      ];
    }
    case "ad-hoc-sub-process": {
      const { activate, output } = element;
      return [
        node("zeebe:adHoc", {
          activeElementsCollection: activate === undefined ? undefined : sourceText(activate),
          outputCollection: output?.target,
          outputElement: output === undefined ? undefined : sourceText(output.source),
        }),
      ];
    }
    case "call-activity": {
      const { binding } = element;
      const version = typeof binding === "object" ? binding.version : undefined;
      return [
        node("zeebe:calledElement", {
          processId: nameText(element.process, element.processFrom),
          propagateAllChildVariables: "false",
          bindingType: typeof binding === "string" ? binding : "versionTag",
          versionTag: version,
        }),
      ];
    }
    default:
      return [];
  }
}

/** BPMN's own children of an activity: its script, its loop. */
export function activityParts(element: Element, roots: Roots): OutNode[] {
  const parts: OutNode[] = [];
  if ("loop" in element && element.loop !== undefined) {
    parts.push(element.loop.mode === "standard" ? standardNode(element.loop) : loopNode(element.loop, roots));
  }
  if (element.kind === "complex-gateway") parts.push(expressionNode("bpmn:activationCondition", element.activation));
  if (element.kind === "script-task") parts.push(node("bpmn:script", {}, scriptText(element.assignments)));
  return parts;
}

function scriptText(assignments: readonly Mapping[]): string {
  const lines = assignments.map(({ target, source }) => {
    const text =
      "language" in source ? source.text : "variable" in source ? source.variable : JSON.stringify(source.literal);
    return `${target} = ${text}`;
  });
  // What the importer would read otherwise is given beside it.
  return lines.every(isAssignment) ? lines.join("\n") : "";
}

function standardNode(loop: StandardLoop): OutNode {
  const { condition, testBefore, maximum } = loop;
  return node(
    "bpmn:standardLoopCharacteristics",
    { testBefore: testBefore ? "true" : undefined, loopMaximum: maximum === undefined ? undefined : String(maximum) },
    [expressionNode("bpmn:loopCondition", condition)],
  );
}

function loopNode(loop: MultiInstance, roots: Roots): OutNode {
  const { output, completion, events = [] } = loop;
  return node(
    "bpmn:multiInstanceLoopCharacteristics",
    { isSequential: loop.mode === "sequential" ? "true" : undefined, ...behaviorOf(loop, roots) },
    [
      node("bpmn:extensionElements", {}, [
        node("zeebe:loopCharacteristics", {
          inputCollection: sourceText(loop.collection),
          inputElement: loop.item,
          outputCollection: output?.target,
          outputElement: output === undefined ? undefined : sourceText(output.source),
        }),
      ]),
      ...events.map(({ condition, event }) =>
        node("bpmn:complexBehaviorDefinition", {}, [
          expressionNode("bpmn:condition", condition),
          node("bpmn:event", {}, definitionsOf(event, roots)),
        ]),
      ),
      completion === undefined ? undefined : expressionNode("bpmn:completionCondition", completion),
    ],
  );
}

/** What its items throw; the standard has events of their own stand beside the process. */
function behaviorOf({ behavior, event }: MultiInstance, roots: Roots): Record<string, string | undefined> {
  if (behavior === undefined) return {};
  const [definition] = event === undefined ? [] : definitionsOf(event, roots);
  const reference = definition === undefined ? undefined : roots.definition(definition);
  return {
    behavior: `${behavior.charAt(0).toUpperCase()}${behavior.slice(1)}`,
    noneBehaviorEventRef: behavior === "none" ? reference : undefined,
    oneBehaviorEventRef: behavior === "one" ? reference : undefined,
  };
}
