import { newTally, simulate, type Tally } from "./simulate.ts";

const usage = `Usage: npm run simulate:kernel -- [--steps N] [--from SEED]
       SIM_SEED=N npm run simulate:kernel        repeats one seed

  --steps N    how many random steps at least (default 100000)
  --from SEED  the first seed (default 1)`;

const options: { [name: string]: number } = { "--steps": 100_000, "--from": 1 };
const progressEveryMs = 20_000;
/** So many seeds without letting go, so that Ctrl-C is heard. */
const seedsPerTurn = 50;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Bad options end the process with what is expected. */
function readOptions(words: readonly string[]): boolean {
  for (let index = 0; index < words.length; index += 2) {
    const [name = "", value = ""] = words.slice(index, index + 2);
    if (!(name in options) || !/^\d+$/.test(value)) return false;
    options[name] = Number(value);
  }
  return true;
}

/** Every cause in its own line: the first says how to repeat it, the last what was found. */
function told(error: unknown): string {
  const causes: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) causes.push(at.message);
  return causes.join("\n");
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort()
    .map(([what, times]) => `${what} ×${times}`)
    .join(", ");
}

function summary(tally: Tally, run: { readonly failing: readonly number[]; readonly elapsedMs: number }): string {
  const events = [...tally.events.values()].reduce((sum, times) => sum + times, 0);
  const { failing, elapsedMs } = run;
  return [
    `${tally.steps} steps, ${tally.refused} commands refused, ${tally.paths} instances of ${tally.programs} programs`,
    `${events} events of ${tally.events.size} types: ${list(tally.events)}`,
    `ends: ${list(tally.ends)}`,
    `${failing.length} failing seeds${failing.length === 0 ? "" : ` (${failing.join(", ")})`} in ${(elapsedMs / 1_000).toFixed(1)} s`,
  ].join("\n");
}

function repeat(seed: number): boolean {
  const tally = newTally();
  try {
    simulate(seed, tally);
  } catch (error) {
    say(told(error));
    return false;
  }
  say(`Seed ${seed} finds nothing in ${tally.steps} steps.`);
  return true;
}

async function run(stepsWanted: number, from: number): Promise<boolean> {
  const tally = newTally();
  const failing: number[] = [];
  const began = Date.now();
  let ending = false;
  process.once("SIGINT", () => {
    ending = true;
  });
  let said = began;
  for (let seed = from; tally.steps < stepsWanted && !ending; seed += 1) {
    try {
      simulate(seed, tally);
    } catch (error) {
      failing.push(seed);
      say(told(error));
    }
    if (seed % seedsPerTurn === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    if (Date.now() - said < progressEveryMs) continue;
    said = Date.now();
    say(`${tally.steps} of ${stepsWanted} steps, seed ${seed}, ${failing.length} failing`);
  }
  if (tally.steps < stepsWanted) say(`Ended after ${tally.steps} of ${stepsWanted} steps.`);
  say(summary(tally, { failing, elapsedMs: Date.now() - began }));
  return failing.length === 0 && tally.steps >= stepsWanted;
}

async function main(): Promise<boolean> {
  const only = process.env["SIM_SEED"];
  if (!readOptions(process.argv.slice(2)) || (only !== undefined && !/^\d+$/.test(only))) {
    say(usage);
    return false;
  }
  if (only !== undefined) return repeat(Number(only));
  return run(options["--steps"] ?? 0, options["--from"] ?? 1);
}

process.exitCode = (await main()) ? 0 : 1;
