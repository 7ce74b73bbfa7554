// `npm run bench`: runs every package's `src/bench/run.ts` and what is in tools/bench, each in a process of
// its own, and prints what they measured.
// `npm run bench -- --json` gives one JSON line per measurement on stdout; further words pick measurements whose name
// contains one of them; `--full` takes the minutes that a million waiting instances need.

import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
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

const args = process.argv.slice(2);
const asJson = args.includes("--json");
const words = args.filter((arg) => !arg.startsWith("--"));
const modules = [
  ...readdirSync(join(root, "packages")).map((name) => join("packages", name, "src", "bench", "run.ts")),
  ...readdirSync(join(root, "tools", "bench")).map((name) => join("tools", "bench", name)),
].filter((path) => existsSync(join(root, path)));
const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, Node ${process.versions.node}`;
process.stderr.write(`${machine}\n`);
let missed = 0;
let failed = 0;
for (const path of modules) {
  const status = await runModule(path, args, (found) => {
    if (words.length > 0 && !words.some((word) => found.name.includes(word))) return;
    if (found.met === false) missed += 1;
    process.stdout.write(`${asJson ? JSON.stringify(found) : show(found)}\n`);
  });
  if (status !== 0) failed += 1;
  if (status !== 0) process.stderr.write(`tutti: ${path} ended with status ${status}\n`);
}
if (!asJson) process.stdout.write(`${missed} goals missed, ${failed} of ${modules.length} programs failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
