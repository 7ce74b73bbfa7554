import { parseArgs } from "node:util";
import { type Plant, plants } from "./plants.ts";
import { runSeeds } from "./pool.ts";
import { report } from "./shrink.ts";
import { type Log, simulate } from "./simulate.ts";
import { summary } from "./summary.ts";

const usage = `Usage: npm run simulate -- [--seeds N] [--from N] [--log journal|sqlite] [--plant BUG]
       SIM_SEED=N npm run simulate        repeats one seed and shortens it if it fails

  --seeds N   how many crash schedules (default 20000)
  --from N    the first seed (default 1)
  --log LOG   journal: the log in memory behind a simulated disk (default); sqlite: the real file
  --plant BUG puts a known bug in: ${Object.keys(plants).join(", ")}`;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20000" },
    from: { type: "string", default: "1" },
    log: { type: "string", default: "journal" },
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

async function repeat(seed: number, options: { readonly log: Log; readonly plant?: Plant }): Promise<boolean> {
  const { violation } = await simulate({ seed, ...options, trace: say });
  if (violation === undefined) {
    say(`Seed ${seed} finds nothing.`);
    return true;
  }
  say(`\n${await report({ seed, ...options })}`);
  return false;
}

async function main(): Promise<boolean> {
  if (values.help) {
    say(usage);
    return true;
  }
  const log = values.log === "sqlite" ? "sqlite" : "journal";
  const plant = values.plant === undefined ? {} : { plant: values.plant as Plant };
  if (values.plant !== undefined && !(values.plant in plants)) throw new Error(usage);
  const only = process.env["SIM_SEED"];
  if (only !== undefined) return repeat(wholeNumber(only, "SIM_SEED"), { log, ...plant });
  const batch = { from: wholeNumber(values.from, "--from"), seeds: wholeNumber(values.seeds, "--seeds"), log } as const;
  let shown = 0;
  const totals = await runSeeds(batch, (done) => {
    if (done - shown < 20_000) return;
    shown = done;
    say(`${done} of ${batch.seeds}`);
  });
  say(summary(totals));
  for (const { seed } of totals.failures) say(`\n${await report({ seed, log })}`);
  return totals.failures.length === 0;
}

process.exitCode = (await main()) ? 0 : 1;
