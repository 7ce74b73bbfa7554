import { parseArgs } from "node:util";
import { compare, summary } from "./ground.ts";
import { walk } from "./path.ts";

const usage = `Usage: npm run differential -- [--seeds N] [--from S]
       SIM_SEED=S npm run differential        repeats one seed, and shows its path

  --seeds N   how many random paths are gone on both engines (default 10000)
  --from S    the first seed (default 1)`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`Expected a whole number, but got '${text}'.\n${usage}`);
}

function tell(seed: number, what: string): void {
  say(`Seed ${seed}: ${what}\n  SIM_SEED=${seed} npm run differential`);
}

async function main(): Promise<boolean> {
  const options = { seeds: { type: "string", default: "10000" }, from: { type: "string", default: "1" } } as const;
  const { values } = parseArgs({ options: { ...options, help: { type: "boolean", default: false } } });
  if (values.help) {
    say(usage);
    return true;
  }
  const only = process.env["SIM_SEED"];
  if (only !== undefined) {
    const { steps } = await walk(wholeNumber(only));
    for (const { action, answer } of steps) say(`${JSON.stringify(action)}\n  ${JSON.stringify(answer)}`);
  }
  const from = wholeNumber(only ?? values.from);
  const seeds = only === undefined ? wholeNumber(values.seeds) : 1;
  const began = Date.now();
  const totals = await compare({ from, seeds, differs: tell, reached: (paths) => say(`${paths} of ${seeds}`) });
  say(`${summary(totals)} in ${Math.round((Date.now() - began) / 1_000)} s`);
  for (const unlike of totals.unlikeReplay) say(`Unlike its replay: ${unlike}`);
  return totals.differences.size + totals.unlikeReplay.length === 0;
}

process.exitCode = (await main()) ? 0 : 1;
