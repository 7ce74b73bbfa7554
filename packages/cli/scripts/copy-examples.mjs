// `prepack`: puts the demo's files into the package. npm leaves out every `.gitignore`, so that one travels under
// another name; the demo gives it back its own.

import { cpSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "..", "..", "..", "examples", "oauth-login");
const target = join(here, "..", "examples", "oauth-login");

rmSync(join(here, "..", "examples"), { recursive: true, force: true });
cpSync(source, target, { recursive: true });
for (const entry of readdirSync(target, { recursive: true, withFileTypes: true })) {
  if (entry.name === ".gitignore") renameSync(join(entry.parentPath, entry.name), join(entry.parentPath, "_gitignore"));
}
