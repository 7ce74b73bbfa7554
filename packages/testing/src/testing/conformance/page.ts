import { activities } from "./activity.ts";
import { beginning } from "./beginning.ts";
import { events } from "./event.ts";
import { gateways } from "./gateway.ts";
import type { Row } from "./row.ts";
import { undoing } from "./undoing.ts";

export const groups: readonly (readonly [string, readonly Row[]])[] = [
  ["Beginnings and ends", beginning],
  ["Activities", activities],
  ["Gateways and conditional flows", gateways],
  ["Events", events],
  ["Compensation and transactions", undoing],
];

const head = `# BPMN 2.0's execution semantics, row by row

What the standard (OMG BPMN 2.0.2, ISO/IEC 19510) says must happen when a process is executed, chiefly in its clause 13, and
the rule of the kernel that says the same ([packages/kernel/SPEC.md](../../packages/kernel/SPEC.md)). For each row there is a
drawing in \`packages/testing/src/testing/conformance\`; a test runs it as \`tutti process run\` would and compares which elements
start, in which order, and which are ended by something else. Where the standard leaves a choice, the last column has the
one that was made. How the 43 control-flow patterns are drawn is in [patterns.md](patterns.md).

This page is generated from the table that the test runs: \`npm run docs:conformance\`.
`;

/** docs/reference/conformance.md. */
export function conformancePage(): string {
  const tables = groups.map(
    ([title, rows]) =>
      `\n## ${title}\n\n| clause | what must happen | rules | choice |\n|---|---|---|---|\n${rows.map(line).join("")}`,
  );
  return head + tables.join("");
}

function line({ clause, says, rules, choice = "" }: Row): string {
  return `| ${clause} | ${says} | ${rules.replaceAll(" ", ", ")} | ${choice} |\n`;
}
