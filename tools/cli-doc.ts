// Writes docs/reference/cli.md from the commands' own help.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cliPage, cliPagePath, readCli } from "./house/cli-page.ts";
import { root } from "./house/source.ts";

writeFileSync(join(root, cliPagePath), cliPage(await readCli()));
