import type { ProgramDocument } from "@tutti/kernel";
import { Random } from "@tutti/kernel/testing";
import { seedOf } from "../simulation/random.ts";
import { randomProcess } from "../testing/random-processes.ts";

export const jobTypes = ["alpha", "beta", "gamma"] as const;

/** What random programs call the message and the signal that they know; here each seed has names of its own. */
export function messageName(seed: number): string {
  return `news-${seed}`;
}

export function signalName(seed: number): string {
  return `bell-${seed}`;
}

/**
 * One seed's processes, the one to start last: each calls those before it. Nothing begins by
 * itself: the two engines make ids for that each in its own way. Other tests have it.
 */
export function randomProcesses(seed: number): readonly ProgramDocument[] {
  const called: string[] = [];
  return ["leaf", "child", "main"].map((role, index) => {
    const made = randomProcess(new Random(seedOf(seed, index)), {
      ...{ id: `${role}-${seed}`, message: messageName(seed), signal: signalName(seed), jobTypes, called: [...called] },
      ...{ start: null, nobody: `nobody-${seed}`, tangledShare: 0.2 },
    });
    called.push(made.id);
    return made;
  });
}
