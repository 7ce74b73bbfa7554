// What a feature takes on Temporal, beside the embedded engine: the demo's plan and edits, with agents that take ten
// seconds a session. That is on the quick side by far, and the longer they take, the less is left of the difference.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { layOut } from "../../packages/cli/src/demo/material.ts";
import { makeRepository } from "../../packages/cli/src/demo/repository.ts";
import { figure } from "../../packages/engine/src/bench/report.ts";
import { startTemporalServer } from "../../packages/engine/src/testing/temporal-server.ts";
import { root } from "../house/source.ts";

const name = "demo.temporal-of-embedded";
const sessionMs = 10_000;
const runTimeoutMs = 900_000;

const words = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
if (words.length === 0 || words.some((word) => name.includes(word))) await measure();

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-bench-demo-"));
  const server = await startTemporalServer();
  try {
    const where = { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: server.namespace() };
    const embedded = await runOn("embedded", join(folder, "embedded"), where);
    const temporal = await runOn("temporal", join(folder, "temporal"), where);
    const lines = [
      figure("demo.agents-of-10s.embedded", embedded, { unit: "s" }),
      figure("demo.agents-of-10s.temporal", temporal, { unit: "s" }),
      figure(name, temporal / embedded, { unit: "ratio", goal: "<= 1.1" }),
    ];
    for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Seconds of the whole run, as it tells them itself. */
async function runOn(engine: string, place: string, where: NodeJS.ProcessEnv): Promise<number> {
  const { repository, plan, script, state } = await layOut(place, root);
  await makeRepository(repository);
  writeFileSync(script, readFileSync(script, "utf8").replaceAll(/delayMs: \d+/g, `delayMs: ${sessionMs}`));
  const main = join(root, "packages", "cli", "src", "main.ts");
  const flags = ["--conditions=@tutti/source", "--disable-warning=ExperimentalWarning"];
  const given = ["--repo", repository, "--plan", plan, "--agent", "scripted", "--script", script, "--state", state];
  const child = spawn(
    process.execPath,
    [...flags, main, "run", "--foreground", "--engine", engine, "--json", ...given],
    {
      cwd: place,
      env: { ...process.env, ...where, HOME: place },
      stdio: ["ignore", "pipe", "ignore"],
      timeout: runTimeoutMs,
    },
  );
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const told = Buffer.concat(chunks).toString("utf8");
  const { status, elapsedMs } = JSON.parse(told) as { readonly status: string; readonly elapsedMs: number };
  if (status !== "completed") throw new Error(`Expected the run on ${engine} to complete, but it is ${status}.`);
  return elapsedMs / 1_000;
}
