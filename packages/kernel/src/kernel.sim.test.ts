import { expect, test } from "vitest";
import { loadProgram } from "./load.ts";
import { isEnded } from "./state/state.ts";
import { Driver } from "./testing/driver.ts";
import { testHost } from "./testing/host.ts";
import { Random } from "./testing/random.ts";
import { randomCommand } from "./testing/random-command.ts";
import { randomProgram } from "./testing/random-program.ts";

// KERNEL_SIM_RUNS lengthens it (`SLOW=1` alone by a factor of 50); KERNEL_SIM_SEED repeats one run.
const runs = Number(process.env["KERNEL_SIM_RUNS"] ?? (process.env["SLOW"] === "1" ? 50_000 : 1_000));
const only = process.env["KERNEL_SIM_SEED"];
const commandsMax = 60;
const eventsMax = 1_500;

/** One random program under random commands; the driver checks after each. Gives how the instance ended up. */
function simulate(seed: number): string {
  const random = new Random(seed);
  const document = randomProgram(random, seed % 3 === 0);
  const parent = random.chance(0.3) ? { parent: { instanceId: "above", key: 1 } } : {};
  const driver = new Driver(loadProgram(document, testHost));
  const { processStarts, entries } = driver.program;
  const byEvent = !entries.has(null) || (processStarts.length > 0 && random.chance(0.6));
  const started = byEvent ? random.pick(processStarts).id : undefined;
  const start =
    started === undefined ? {} : { start: { element: started, payload: { n: random.below(5) }, trigger: 1 } };
  try {
    driver.create({}, { ...parent, ...start });
    for (let left = commandsMax; left > 0 && driver.history.length < eventsMax; left -= 1) {
      driver.try(randomCommand(random, driver));
      if (isEnded(driver.state) && random.chance(0.5)) break;
    }
  } catch (error) {
    const repeat = `KERNEL_SIM_SEED=${seed} npx vitest run --project simulation packages/kernel/src/kernel.sim.test.ts`;
    throw new Error(`seed ${seed} fails after ${driver.history.length} events; repeat it with\n  ${repeat}`, {
      cause: error,
    });
  }
  return driver.status ?? "none";
}

test(`[K111] [K114] ${only === undefined ? `${runs} random programs` : `seed ${only}`} keep every invariant under random commands`, () => {
  const seeds = only === undefined ? Array.from({ length: runs }, (_, index) => index + 1) : [Number(only)];
  const ends = new Map<string, number>();
  for (const seed of seeds) {
    const end = simulate(seed);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  // A generator that never gets anywhere would prove nothing.
  if (only === undefined)
    expect([...ends.keys()].sort()).toEqual(expect.arrayContaining(["cancelled", "completed", "failed"]));
});
