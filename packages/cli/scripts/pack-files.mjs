// `prepack`: puts into the package what lies elsewhere in a checkout, or is made there when somebody needs it: the demo's
// files, the script that provides a server of Temporal, and what its workers run. Needs the compiled sources. `postpack`,
// with --remove: takes all of it away again, because it would outlive the next change of what it was made of.

import { cpSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");
const examples = join(here, "..", "examples");
const servers = join(here, "..", "servers");
const bundle = join(here, "..", "dist", "workflow-bundle.cjs");

for (const each of [examples, servers, bundle]) rmSync(each, { recursive: true, force: true });
if (!argv.includes("--remove")) {
  const demo = join(examples, "oauth-login");
  cpSync(join(root, "examples", "oauth-login"), demo, { recursive: true });
  // npm leaves out every `.gitignore`, so that one travels under another name; the demo gives it back its own.
  for (const entry of readdirSync(demo, { recursive: true, withFileTypes: true })) {
    if (entry.name === ".gitignore")
      renameSync(join(entry.parentPath, entry.name), join(entry.parentPath, "_gitignore"));
  }
  for (const name of ["go-server.mjs", "temporal.mjs"])
    cpSync(join(root, "tools", "servers", name), join(servers, name));
  const { makeBundle } = await import("../dist/engines/workflow-bundle.js");
  writeFileSync(bundle, (await makeBundle()).code);
}
