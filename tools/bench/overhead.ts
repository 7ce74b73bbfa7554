// What orchestration adds to a feature: the demo, run through the command as a person does, once. Its scripted agents
// take next to no time, so its whole wall time, tests and merges and conflicts included, counts as orchestration; the
// agents' own time is what real agents take for as many sessions.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { figure } from "../../packages/engine/src/bench/report.ts";
import { root } from "../house/source.ts";

/** A coding agent takes minutes for a unit of this size; five is on the quick side. */
const sessionMs = 300_000;
const demoTimeoutMs = 300_000;

const folder = mkdtempSync(join(tmpdir(), "tutti-bench-demo-"));
try {
  const script = readFileSync(join(root, "examples", "oauth-login", "agents.yaml"), "utf8");
  const sessions = script.match(/^ +- delayMs:/gm)?.length ?? 0;
  const { elapsedMs, wallMs } = await runDemo();
  const lines = [
    figure("demo.wall", wallMs / 1_000, { unit: "s" }),
    figure("demo.run", elapsedMs / 1_000, { unit: "s" }),
    figure("demo.overhead-of-agent-time", elapsedMs / (sessions * sessionMs), { unit: "ratio", goal: "<= 0.02" }),
  ];
  for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function runDemo(): Promise<{ readonly elapsedMs: number; readonly wallMs: number }> {
  const main = join(root, "packages", "cli", "src", "main.ts");
  const flags = ["--conditions=@tutti/source", "--disable-warning=ExperimentalWarning"];
  const begin = performance.now();
  const child = spawn(process.execPath, [...flags, main, "demo", "--json", "--dir", join(folder, "demo")], {
    cwd: folder,
    env: { ...process.env, HOME: folder },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: demoTimeoutMs,
  });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const wallMs = performance.now() - begin;
  const { view } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { view: { elapsedMs: number } };
  return { elapsedMs: view.elapsedMs, wallMs };
}
