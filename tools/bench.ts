// `npm run bench`: runs every package's `src/bench/run.ts` and what is in tools/bench, each in a process of
// its own, and prints what they measured.
// `npm run bench -- --json` gives one JSON line per measurement on stdout; further words pick measurements whose name
// contains one of them, and start only the programs that have such; `--full` takes the minutes that a million waiting
// instances need.

import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { createInterface } from "node:readline";
import { root } from "./house/source.ts";

interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** A comparison such as ">= 0.5"; null: the figure carries no goal. */
  readonly goal: string | null;
  /** Null without a goal. */
  readonly met: boolean | null;
  /** Largest minus smallest of the repetitions, as a share of the value. */
  readonly spread: number;
}

function parse(line: string, from: string): Measurement {
  const found = JSON.parse(line) as Partial<Measurement>;
  const whole =
    typeof found.name === "string" &&
    typeof found.value === "number" &&
    typeof found.unit === "string" &&
    (found.goal === null || /^(>=|<=|>|<) [\d.e+]+$/.test(found.goal ?? "")) &&
    (found.met === null || typeof found.met === "boolean") &&
    typeof found.spread === "number";
  if (!whole) throw new Error(`${from} printed a measurement that is not whole: ${line}`);
  return found as Measurement;
}

/** With as much room for young objects as the owner of a state folder is started with. */
const nodeFlags = ["--conditions=@tutti/source", "--max-semi-space-size=64"];

/** Calls `see` for each measurement as it comes. Gives the exit status. */
async function runModule(path: string, args: readonly string[], see: (found: Measurement) => void): Promise<number> {
  const command = [
    ...nodeFlags,
    "--disable-warning=ExperimentalWarning",
    path,
    "--json",
    ...args.filter((arg) => arg !== "--json"),
  ];
  const child = spawn(process.execPath, command, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.trim() !== "") see(parse(line, path));
  }
  return ended;
}

const figure = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

function show({ name, value, unit, goal, met, spread }: Measurement): string {
  const verdict = goal === null ? "" : `goal ${goal} ${met ? "met" : "MISSED"}`;
  return `${name.padEnd(52)} ${figure.format(value).padStart(12)} ${unit.padEnd(14)} ± ${(spread * 100).toFixed(0).padStart(3)} %  ${verdict}`;
}

/** How the names begin of what each program measures. One that is not here does not run. */
const programs: { readonly [path: string]: readonly string[] } = {
  "packages/engine/src/bench/run.ts": [
    ...["disk.sync", "10-steps.durable", "10-steps.memory", "one-task.durable", "one-task.memory"],
    ...["branches", "graph.locks", "history", "waiting.disk", "waiting.heap", "timers", "recovery"],
  ],
  "tools/bench/demo-on-temporal.ts": ["demo.temporal-of-embedded", "demo.agents-of-10s"],
  "tools/bench/expressions.ts": ["step.memory", "step.with-gateway-and-writes.of-bare"],
  "tools/bench/merge.ts": ["merge.", "workspace."],
  "tools/bench/overhead.ts": ["demo.wall", "demo.run", "demo.overhead-of-agent-time"],
  "tools/bench/peers.ts": [...["peer.", "10-steps.durable.64.of-openworkflow", "one-task.memory.64.of-bpmn-engine"]],
  "tools/bench/temporal.ts": ["temporal."],
};

function measures(path: string, word: string): boolean {
  return (programs[path] ?? []).some((name) => name.includes(word) || word.includes(name));
}

/** Those with what the words name; a word that is in the middle of names tells nothing of where. */
function wantedPrograms(words: readonly string[]): readonly string[] {
  const all = Object.keys(programs);
  const isPlaced = words.every((word) => all.some((path) => measures(path, word)));
  return words.length > 0 && isPlaced ? all.filter((path) => words.some((word) => measures(path, word))) : all;
}

function isListed(path: string, { name }: Measurement): boolean {
  return (programs[path] ?? []).some((begin) => name.startsWith(begin));
}

const args = process.argv.slice(2);
const asJson = args.includes("--json");
const words = args.filter((arg) => !arg.startsWith("--"));
const there = globSync(["packages/*/src/bench/run.ts", "tools/bench/*.ts"], { cwd: root });
const unlisted = there.filter((path) => !(path in programs));
if (unlisted.length > 0)
  throw new Error(`Expected what ${unlisted.join(", ")} measures to be listed in tools/bench.ts`);
const modules = wantedPrograms(words);
const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, Node ${process.versions.node}`;
process.stderr.write(`${machine}\n`);
let missed = 0;
let failed = 0;
for (const path of modules) {
  const status = await runModule(path, args, (found) => {
    if (!isListed(path, found))
      throw new Error(`${path} measures ${found.name}, which tools/bench.ts does not list for it`);
    if (words.length > 0 && !words.some((word) => found.name.includes(word))) return;
    if (found.met === false) missed += 1;
    process.stdout.write(`${asJson ? JSON.stringify(found) : show(found)}\n`);
  });
  if (status !== 0) failed += 1;
  if (status !== 0) process.stderr.write(`tutti: ${path} ended with status ${status}\n`);
}
if (!asJson) process.stdout.write(`${missed} goals missed, ${failed} of ${modules.length} programs failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
