// Prints the headings that docs/reference/errors.md lacks; with --write it writes the page from the packages' tables.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  errorFindings,
  errorsPage,
  errorsPath,
  headingsOf,
  readErrorsPage,
  readErrorTables,
} from "./house/error-tables.ts";
import { root } from "./house/source.ts";

const tables = await readErrorTables();
const findings = errorFindings(tables);
if (process.argv.includes("--write")) {
  writeFileSync(join(root, errorsPath), errorsPage(tables));
} else {
  const present = new Set(headingsOf(readErrorsPage()));
  for (const { codes } of tables) {
    for (const { code, advice } of codes) {
      if (!present.has(code))
        findings.push(`${errorsPath} lacks '### ${code}' (${advice}); run \`npm run docs:errors\``);
    }
  }
}
for (const finding of findings) process.stderr.write(`${finding}\n`);
process.exitCode = findings.length === 0 ? 0 : 1;
