import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";

/** Where a server that tests need is, or why there is none and what would provide it. */
export type FoundServer = { readonly path: string } | { readonly missing: string };

/** Asks a script of tools/servers, which installs nothing for this. */
export function findServer(script: `${string}.mjs`): FoundServer {
  const file = fileURLToPath(new URL(`../../../tools/servers/${script}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, "--find"], { encoding: "utf8" });
  return status === 0 ? { path: stdout.trim() } : { missing: stderr.trim() };
}

/** Tests that need a server. */
export function describeWithServer(server: FoundServer, title: string, tests: () => void): void {
  describeUnless("missing" in server ? server.missing : undefined, title, tests);
}

/**
 * Tests that need something of the machine: with a reason why it is not there they are skipped, and say it in their title.
 * Under CI=true none is: they run, and fail.
 */
export function describeUnless(missing: string | undefined, title: string, tests: () => void): void {
  if (missing !== undefined && process.env["CI"] !== "true") describe.skip(`${title} (skipped: ${missing})`, tests);
  else describe(title, tests);
}
