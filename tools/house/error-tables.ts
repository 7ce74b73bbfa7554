import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ErrorCode, ErrorTable } from "@tutti/kernel";
import { listFiles, readText, root } from "./source.ts";

export const errorsPath = "docs/reference/errors.md";

export interface PackageErrors {
  /** Folder under packages/. */
  readonly package: string;
  readonly codes: readonly (ErrorCode & { readonly code: string })[];
}

/** What the exit status says to a script, whatever the code. */
const exitMeanings: readonly string[] = [
  "done",
  "error",
  "usage or bad input; nothing was written",
  "the result failed its verification",
  "conflicts wait for a person",
  "no unit succeeded",
  "landed, but publishing failed",
  "interrupted",
  "waits for a person",
  "budget exhausted",
];

/** The tables of all packages: every export called `…Errors` of a file called `errors.ts`, codes in alphabetical order. */
export async function readErrorTables(): Promise<PackageErrors[]> {
  const found = new Map<string, PackageErrors["codes"]>();
  for (const path of listFiles("packages").filter((candidate) => /\/src\/(.*\/)?errors\.ts$/.test(candidate))) {
    const name = path.split("/")[1] ?? "";
    const exported = (await import(pathToFileURL(join(root, path)).href)) as Record<string, unknown>;
    const tables = Object.entries(exported).filter(([key]) => key.endsWith("Errors")) as [string, ErrorTable][];
    const codes = tables.flatMap(([, table]) => Object.entries(table).map(([code, row]) => ({ code, ...row })));
    found.set(name, [...(found.get(name) ?? []), ...codes]);
  }
  const byName = (a: string, b: string): number => (a < b ? -1 : 1);
  return [...found]
    .sort(([a], [b]) => byName(a, b))
    .map(([name, codes]) => ({ package: name, codes: codes.toSorted((a, b) => byName(a.code, b.code)) }));
}

/** What is wrong with the tables themselves. */
export function errorFindings(tables: readonly PackageErrors[]): string[] {
  const findings: string[] = [];
  const owner = new Map<string, string>();
  for (const { package: name, codes } of tables) {
    for (const { code, exit, status, advice } of codes) {
      const where = `${name}: '${code}'`;
      const other = owner.get(code);
      if (other !== undefined) findings.push(`${where} is also a code of ${other}`);
      owner.set(code, name);
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code)) findings.push(`${where} is not in kebab-case`);
      if (!Number.isInteger(exit) || exit < 1 || exit > 9)
        findings.push(`${where} has exit status ${exit}, not 1 to 9`);
      if (!Number.isInteger(status) || status < 400 || status > 599)
        findings.push(`${where} has HTTP status ${status}`);
      if (!/[.!?]$/.test(advice.trim())) findings.push(`${where} gives no advice in a whole sentence`);
    }
  }
  return findings;
}

/** The whole reference page. */
export function errorsPage(tables: readonly PackageErrors[]): string {
  const parts = [
    "# Errors",
    "<!-- Written by `npm run docs:errors` from the packages' `errors.ts`; a test holds it in date. -->",
    "Every refusal and failure that reaches a person carries a stable code: on the command line in the message and, with `--json`, in the field `code`; over HTTP as the end of `type` in `application/problem+json`. The text of a message may change, its code does not.",
    "## Exit status",
    ["| status | meaning |", "|---|---|", ...exitMeanings.map((meaning, exit) => `| ${exit} | ${meaning} |`)].join(
      "\n",
    ),
  ];
  for (const { package: name, codes } of tables) {
    parts.push(`## Codes of ${name}`);
    for (const { code, exit, status, advice } of codes) {
      parts.push(`### ${code}`, `Exit status ${exit} · HTTP ${status}`, advice.trim());
    }
  }
  return `${parts.join("\n\n")}\n`;
}

export function readErrorsPage(): string {
  return readText(errorsPath);
}

/** Codes that have a heading, and headings that have a code. */
export function headingsOf(page: string): string[] {
  return page
    .split("\n")
    .filter((line) => line.startsWith("### "))
    .map((line) => line.slice(4).trim());
}
