import { activities } from "./activity.ts";
import { beginning } from "./beginning.ts";
import { corners } from "./corner.ts";
import { events } from "./event.ts";
import { gateways } from "./gateway.ts";
import { meeting } from "./meeting.ts";
import type { Row } from "./row.ts";
import { undoing } from "./undoing.ts";

export const groups: readonly (readonly [string, readonly Row[]])[] = [
  ["Beginnings and ends", beginning],
  ["Activities", activities],
  ["Gateways and conditional flows", gateways],
  ["Events", events],
  ["Compensation and transactions", undoing],
  ["Where several meet", corners],
  ["Gateways and transactions together", meeting],
];

const head = `# BPMN 2.0's execution semantics, row by row

What the standard (OMG BPMN 2.0.2, ISO/IEC 19510) says must happen when a process is executed, chiefly in its clause 13, and
the rule of the kernel that says the same ([packages/kernel/SPEC.md](../../packages/kernel/SPEC.md)). For each row there is a
drawing in \`packages/testing/src/testing/conformance\`; a test runs it as \`tutti process run\` would and compares which elements
start, in which order, and which are ended by something else. Where the standard leaves a choice, the last column has the
one that was made. How the 43 control-flow patterns are drawn is in [patterns.md](patterns.md).

This page is generated from the table that the test runs: \`npm run docs:conformance\`.
`;

const foot = `
## Files of other tools

A drawing runs without job types: what somebody else has to do is answered by the answers file or at the prompt, under the
id of the element. What other tools write is read so (rules D202 to D215 of
[packages/definition/SPEC.md](../../packages/definition/SPEC.md)):

| in the file | what it becomes |
|---|---|
| a task of no kind, a manual task | passes at once, as the standard says |
| a service, send or business rule task without a type | a job, called like the task |
| \`class\`, \`delegateExpression\`, \`topic\`, \`type\`, an \`expression\` that calls code (Camunda 7, Flowable, Activiti) | a job of that type |
| an \`expression\` that only computes, with \`resultVariable\` | a script |
| a script that only sets variables or prints | a script; any other is a job \`script.<language>\` with the script in its headers |
| a condition \`\${…}\`, or in the language of a Java, JavaScript, Groovy or Python engine | CEL: comparisons, \`and\`, \`or\`, \`not\`, arithmetic, \`? :\`, \`empty\`, paths, literals, calls that only read (\`equals\`, \`size\`, \`contains\`, \`execution.getVariable\`, \`S(…).prop(…)\`) |
| a condition without a language | FEEL, or CEL where only that can read it, or it calls a method (\`x.contains("a")\`) |
| an error or escalation that is declared nowhere | its reference is its code, with a warning |
| a condition that calls code (\`\${bean.check(x)}\`), in XPath, listeners | refused by name and line; let a task compute it into a variable, and use that |

A text of digits is a number beside one, as JUEL has it; comparing null is an incident that says so, not false.

Some tools run the same drawing otherwise than the standard has it:

| elsewhere | here |
|---|---|
| Camunda 7 and Flowable start all compensation handlers at once | one after the other, the last that completed first |
| an event of a multi-instance activity (behavior None or Complex) that interrupts is caught once for every instance | it ends the activity, with all instances that are left, and only its own way out is taken |
| an uncaught escalation ends the process with an error | it goes nowhere, and whoever threw it goes on |
| an intermediate timer with a repetition sends several tokens on | one: the token that waited |
| a cancel event in one instance of a multi-instance transaction undoes the instances that still run, too | it undoes that instance, and ends the others |
| a transaction in a transaction that is cancelled is merely ended | what completed in it is undone, too |
`;

/** docs/reference/conformance.md. */
export function conformancePage(): string {
  const tables = groups.map(
    ([title, rows]) =>
      `\n## ${title}\n\n| clause | what must happen | rules | choice |\n|---|---|---|---|\n${rows.map(line).join("")}`,
  );
  return head + tables.join("") + foot;
}

function line({ clause, says, rules, choice = "" }: Row): string {
  return `| ${clause} | ${says} | ${rules.replaceAll(" ", ", ")} | ${choice} |\n`;
}
