import { parseArgs } from "node:util";
import { historyMax } from "../testing/temporal-server.ts";
import { killWorkers, takeoverMaxMs } from "./kills.ts";
import { goRound } from "./loop.ts";

const usage = `Usage: npm run endurance -- kills [--times N]    kills workers at random under load, and the server once (default 20)
       npm run endurance -- loop [--times N]     one instance goes round over a job and a timer (default 10000)
       npm run endurance -- units [--times N]    a feature of so many units (default 1000)`;

const saidEvery = 500;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function kills(times: number): Promise<boolean> {
  const survival = await killWorkers({ kills: times, killed: (done) => say(`${done} of ${times} killed`) });
  const { instances, again, takeoversMs, slownessMs, wrong } = survival;
  const sorted = [...takeoversMs].sort((a, b) => a - b);
  const most = takeoverMaxMs(survival);
  say(`${instances} instances, ${again} jobs given more than once, a step took at most ${slownessMs} ms`);
  say(`taken over after ${sorted.join(", ")} ms; at most ${most} expected`);
  for (const each of wrong) say(each);
  return wrong.length === 0 && (sorted.at(-1) ?? 0) < most;
}

async function loop(times: number): Promise<boolean> {
  const began = Date.now();
  const reached = (rounds: number): void => {
    if (rounds % saidEvery === 0) say(`${rounds} of ${times} after ${Math.round((Date.now() - began) / 1_000)} s`);
  };
  const { rounds, result, sizes } = await goRound({ rounds: times, reached });
  const [events, bytes] = [sizes.map((size) => size.events), sizes.map((size) => size.bytes)];
  say(`${rounds} jobs done: ${JSON.stringify(result)}`);
  const ranges = `${Math.min(...events)} to ${Math.max(...events)} events and at most ${Math.max(...bytes)} bytes`;
  say(`${sizes.length} executions, of ${ranges}`);
  return rounds === times && Math.max(...events) < historyMax.events && Math.max(...bytes) < historyMax.bytes;
}

const all: { readonly [name: string]: readonly [run: (times: number) => Promise<boolean>, times: number] } = {
  kills: [kills, 20],
  loop: [loop, 10_000],
};

async function main(): Promise<boolean> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { times: { type: "string" } } });
  const chosen = all[positionals[0] ?? ""];
  const times = Number(values.times ?? chosen?.[1]);
  if (chosen === undefined || !Number.isSafeInteger(times) || times < 1) {
    say(usage);
    return false;
  }
  return chosen[0](times);
}

process.exitCode = (await main()) ? 0 : 1;
