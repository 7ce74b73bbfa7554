import { actionsMax, type Result, type SimulationOptions, simulate } from "./simulate.ts";

export interface Shrunk {
  readonly result: Result;
  readonly skip: ReadonlySet<number>;
  /** What is left, action by action. */
  readonly trace: readonly string[];
}

/** Leaves out every action that the failure does not need, as long as there is still one. */
export async function shrink(options: SimulationOptions): Promise<Shrunk> {
  const skip = new Set<number>();
  let removed = true;
  while (removed) {
    removed = false;
    for (let index = actionsMax - 1; index >= 0; index--) {
      if (skip.has(index)) continue;
      const { violation } = await simulate({ ...options, skip: new Set([...skip, index]) });
      if (violation === undefined) continue;
      skip.add(index);
      removed = true;
    }
  }
  const trace: string[] = [];
  const result = await simulate({ ...options, skip, trace: (line) => trace.push(line) });
  return { result, skip, trace };
}

/** Everything a person needs about a failing seed, the command to repeat it first. */
export async function report(options: SimulationOptions): Promise<string> {
  const { result, trace } = await shrink(options);
  const { seed, log = "journal", material = "blocks", plant } = options;
  const kind = [
    ...(log === "journal" ? [] : ["--log", log]),
    ...(material === "blocks" ? [] : ["--material", material]),
  ];
  const flags = [...kind, ...(plant === undefined ? [] : ["--plant", plant])];
  const more = flags.length === 0 ? "" : ` -- ${flags.join(" ")}`;
  return [
    `Seed ${seed} on the ${log} log fails. Repeat it with:`,
    `  SIM_SEED=${seed} npm run simulate${more}`,
    `What is left of it once all is left out that it does not need:`,
    ...trace.map((line) => `  ${line}`),
    `${result.violation ?? "(the shortened run does not fail)"}`,
  ].join("\n");
}
