import { parseArgs } from "node:util";
import { historyMax } from "@tutti/engine/testing/temporal";
import { developFeature, keptLine } from "./many-units.ts";

// `npm run endurance -- units`: takes a feature of many units to its end, and tells how large its histories became.

const saidEvery = 50;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function develop(units: number): Promise<boolean> {
  const began = Date.now();
  const seconds = (): number => Math.round((Date.now() - began) / 1_000);
  const reached = (done: number): void => {
    if (done % saidEvery === 0) say(`${done} of ${units} after ${seconds()} s`);
  };
  const { landed, again, kept } = await developFeature({ units, reached });
  say(`${landed.length} units in the result after ${seconds()} s, ${again.length} jobs given more than once`);
  for (const each of kept) say(keptLine(each));
  const isWithin = kept.every(
    ({ eventsMax, bytesMax }) => eventsMax < historyMax.events && bytesMax < historyMax.bytes,
  );
  return isWithin && new Set(landed).size === units && again.length === 0;
}

const { values } = parseArgs({ options: { times: { type: "string", default: "1000" } } });
const times = Number(values.times);
if (!Number.isSafeInteger(times) || times < 1) throw new Error(`Expected --times N, but got '${values.times}'.`);
process.exitCode = (await develop(times)) ? 0 : 1;
