import { parseArgs } from "node:util";
import { type Plant, plants } from "./plants.ts";
import { runSeeds, type Watch } from "./pool.ts";
import { report } from "./shrink.ts";
import { type Log, type Material, simulate } from "./simulate.ts";
import { summary } from "./summary.ts";

const usage = `Usage: npm run simulate -- [--seeds N] [--from N] [--log journal|sqlite] [--plant BUG]
       SIM_SEED=N npm run simulate        repeats one seed and shortens it if it fails

  --seeds N   how many crash schedules (default 20000)
  --from N    the first seed (default 1)
  --log LOG   journal: the log in memory behind a simulated disk (default); sqlite: the real file
  --material M  blocks: processes of blocks (default); language: the kernel's random programs, with all the language has
  --plant BUG puts a known bug in: ${Object.keys(plants).join(", ")}`;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20000" },
    from: { type: "string", default: "1" },
    log: { type: "string", default: "journal" },
    material: { type: "string", default: "blocks" },
    plant: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

function wholeNumber(text: string, what: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`Expected ${what} to be a whole number, but got '${text}'.\n${usage}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function repeat(
  seed: number,
  options: { readonly log: Log; readonly material: Material; readonly plant?: Plant },
): Promise<boolean> {
  const { violation } = await simulate({ seed, ...options, trace: say });
  if (violation === undefined) {
    say(`Seed ${seed} finds nothing.`);
    return true;
  }
  say(`\n${await report({ seed, ...options })}`);
  return false;
}

/** Aborts at the first Ctrl-C: hours of schedules are told all the same. A second one ends the process. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => {
    say("Ending with the seeds that are under way.");
    controller.abort();
  });
  return controller.signal;
}

/** Tells each failing seed as soon as it is known, and how far it is now and then. */
function teller(seeds: number): NonNullable<Watch["progress"]> {
  let shown = 0;
  let told = 0;
  return (ran, failures) => {
    for (const { seed, violation } of failures.slice(told)) say(`Seed ${seed} fails: ${violation}`);
    told = failures.length;
    if (ran - shown < 20_000) return;
    shown = ran;
    say(`${ran} of ${seeds}`);
  };
}

async function main(): Promise<boolean> {
  if (values.help) {
    say(usage);
    return true;
  }
  const log = values.log === "sqlite" ? "sqlite" : "journal";
  const material = values.material === "language" ? "language" : "blocks";
  const plant = values.plant === undefined ? {} : { plant: values.plant as Plant };
  if (values.plant !== undefined && !(values.plant in plants)) throw new Error(usage);
  const only = process.env["SIM_SEED"];
  if (only !== undefined) return repeat(wholeNumber(only, "SIM_SEED"), { log, material, ...plant });
  const [from, seeds] = [wholeNumber(values.from, "--from"), wholeNumber(values.seeds, "--seeds")];
  const batch = { from, seeds, log, material } as const;
  const totals = await runSeeds(batch, { signal: interrupted(), progress: teller(batch.seeds) });
  if (totals.ran < batch.seeds) say(`Ended after ${totals.ran} of ${batch.seeds} seeds.`);
  say(summary(totals));
  for (const { seed } of totals.failures) say(`\n${await report({ seed, log, material })}`);
  return totals.failures.length === 0 && totals.ran === batch.seeds;
}

process.exitCode = (await main()) ? 0 : 1;
