import type { ErrorCode } from "@tutti/kernel";

function invalid(advice: string): ErrorCode {
  return { exit: 2, status: 422, advice };
}

export type DefinitionErrorCode =
  | "definition-invalid"
  | "yaml-invalid"
  | "yaml-limit"
  | "xml-invalid"
  | "xml-limit"
  | "xml-refused"
  | "bpmn-invalid"
  | "form-unknown"
  | "schema-invalid"
  | "version-invalid"
  | "process-duplicate"
  | "element-duplicate"
  | "element-unknown"
  | "element-unsupported"
  | "element-limit"
  | "target-unknown"
  | "target-other-scope"
  | "route-leads-nowhere"
  | "route-unknown"
  | "element-unreachable"
  | "gateway-not-exhaustive"
  | "gateway-default-duplicate"
  | "end-missing"
  | "start-missing"
  | "fall-through"
  | "cycle"
  | "dependency-unknown"
  | "dependency-self"
  | "dependency-duplicate"
  | "variable-undeclared"
  | "variable-read-early"
  | "variable-type"
  | "output-dead"
  | "output-undeclared"
  | "call-unknown"
  | "undo-invalid"
  | "loop-invalid"
  | "duration-invalid"
  | "timer-invalid"
  | "expression-syntax"
  | "expression-language-unknown"
  | "expression-too-large"
  | "expression-function-refused"
  | "variable-missing"
  | "expression-failed"
  | "expression-overflow"
  | "expression-cost"
  | "expression-result"
  | "timer-value"
  | "timer-zone"
  | "timer-never"
  | "notation-invalid"
  | "decision-invalid"
  | "decision-unknown"
  | "decision-duplicate"
  | "decision-input"
  | "decision-ambiguous"
  | "variable-race"
  | "decision-unread"
  | "label-unknown"
  | "soundness-unknown"
  | "process-stuck"
  | "process-endless"
  | "process-grows"
  | "process-spins"
  | "element-dead"
  | "drawing-rule";

/** Codes of problems in a definition, and of error values of expressions and timers. */
export const definitionErrors: { readonly [code in DefinitionErrorCode]: ErrorCode } = {
  "definition-invalid": invalid("Correct the problems listed with their lines, then run `tutti validate` again."),
  "yaml-invalid": invalid("Correct the YAML at the line shown; quote texts that contain `: ` or ` #`."),
  "yaml-limit": invalid("Make the file smaller or flatter, or split it into several definitions."),
  "xml-invalid": invalid("Correct the XML at the line shown, or export the file anew from the modeler."),
  "xml-limit": invalid("Make the file smaller or flatter, or split it into several definitions."),
  "xml-refused": invalid("Remove the document type, and write entities as the characters they stand for."),
  "bpmn-invalid": invalid("Correct the element at the line shown in the modeler, and save the file again."),
  "form-unknown": invalid(
    "Start the file with `process:`, `arrows:`, `graph:`, `project_name:`, `workflow:` or `decision:`.",
  ),
  "schema-invalid": invalid("Write what was expected at the line shown; the JSON Schema lists every key."),
  "version-invalid": invalid('Give the version as a text in quotes, such as "1.0".'),
  "process-duplicate": invalid("Give every process of the file its own id, or its own version."),
  "element-duplicate": invalid("Give every step its own id, also across sub-processes."),
  "element-unknown": invalid("Name a step that exists in the same scope."),
  "element-unsupported": invalid("Use one of the kinds named in the message."),
  "element-limit": invalid("Split the process into several that call each other."),
  "target-unknown": invalid("Name a step of the same scope, or `end`."),
  "target-other-scope": invalid("Flow only to steps of the same sub-process; let the sub-process end instead."),
  "route-leads-nowhere": invalid("Add a flow for the route, or remove it; as it stands the process ends there."),
  "route-unknown": invalid("Name a route among the conditions of the gateway."),
  "element-unreachable": invalid("Add a flow that leads there, or remove the step."),
  "gateway-not-exhaustive": invalid("Add a default route (`otherwise`), so that no value stops the process."),
  "gateway-default-duplicate": invalid("Keep one `otherwise`."),
  "end-missing": invalid("Let some path end."),
  "start-missing": invalid("Add a start event, or a step that nothing flows into."),
  "fall-through": invalid("Write `then:` so that normal flow does not run into an error or time-out handler."),
  cycle: invalid("Remove one of the dependencies of the circle that is printed."),
  "dependency-unknown": invalid("Depend on an item of the same graph."),
  "dependency-self": invalid("Remove the dependency of the item on itself."),
  "dependency-duplicate": invalid("Name each dependency once."),
  "variable-undeclared": invalid("Declare the variable, or let an earlier step write it."),
  "variable-read-early": invalid(
    "Write the variable before it is read, give it an initial value, or mark the read with `?`.",
  ),
  "variable-type": invalid("Give the variable an initial value of its type."),
  "output-dead": invalid("Read the variable somewhere, list it in `outputs`, or do not write it."),
  "output-undeclared": invalid("Name a declared variable or one that a step writes."),
  "call-unknown": invalid("Deploy the called process together with this one, or bind to `latest` or a version."),
  "undo-invalid": invalid("Name a task that nothing flows into; a handler belongs to one activity."),
  "loop-invalid": invalid("Correct the `forEach` as the message says."),
  "duration-invalid": invalid('Write a duration as "PT15M", "15m", "1h30m" or "7d".'),
  "timer-invalid": invalid("Write exactly one of after, at, every, cron."),
  "expression-syntax": invalid("Correct the expression; the message shows the place."),
  "expression-language-unknown": invalid("Write the expression in CEL or FEEL."),
  "expression-too-large": invalid("Split the expression, or do the work in a job."),
  "expression-function-refused": invalid("Use a function whose result does not depend on the machine."),
  "variable-missing": invalid("Set the variable before the expression reads it."),
  "expression-failed": invalid("Correct the expression or the data it reads."),
  "expression-overflow": invalid("Keep numbers within ±(2^53 − 1), or use a number instead of an integer."),
  "expression-cost": invalid("Let a job do what loops over so much data."),
  "expression-result": invalid("Let the expression give plain JSON."),
  "timer-value": invalid("Give the timer a value of its kind."),
  "timer-zone": invalid("Name an IANA time zone such as Europe/Berlin."),
  "timer-never": invalid("Choose a time that comes within 100 years."),
  "notation-invalid": invalid("Write steps and arrows: `a → [b & c] → d`, `x > 1 ? a : b`, `step(arg) → result`."),
  "decision-invalid": invalid("Correct the decision as the message says."),
  "decision-unknown": invalid("Require decisions and inputs of the same file."),
  "decision-duplicate": invalid("Give every decision its own id and name."),
  "decision-input": invalid("Give the decision a value that its table allows, or allow this one."),
  "decision-ambiguous": invalid("Let one rule at most fit, or choose another hit policy."),
  "variable-race": invalid(
    "Let the one that reads come after the one that writes, or give each branch a variable of its own.",
  ),
  "decision-unread": invalid(
    "Let a gateway or a step read the decision, list it in `outputs` (a list of all variables does not count), or do not ask for it.",
  ),
  "label-unknown": invalid("Name groups or people; let the task's outputs take the answer."),
  "soundness-unknown": invalid("Split the process into smaller ones, or raise the limits of the check."),
  "process-stuck": invalid("Follow the path that is printed, and let every path that starts at a fork reach its join."),
  "process-endless": invalid("Give the circle at the end of the path that is printed a way out."),
  "process-grows": invalid("Join what the path that is printed starts anew in every round."),
  "process-spins": invalid(
    "Let something in the circle wait, such as a timer, or see to it that its conditions end it.",
  ),
  "drawing-rule": invalid("Draw it otherwise, as the rule's page shows, or leave it: it runs as it is."),
  "element-dead": invalid("Add a way there that can be gone, or remove the element."),
};
