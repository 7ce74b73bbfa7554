// The demo's material travels with the packed command: npm calls this before packing (copy) and afterwards (--remove).
// From the sources the command reads examples/oauth-login itself.

import { cpSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const copies = join(root, "packages", "cli", "examples");

rmSync(copies, { recursive: true, force: true });
if (!process.argv.includes("--remove")) {
  cpSync(join(root, "examples", "oauth-login"), join(copies, "oauth-login"), { recursive: true });
}
