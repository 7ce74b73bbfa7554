import type { IntermediateThrowEvent, WaitTrigger } from "../program.ts";
import { literal, map, message, onCondition, onMessage, onSignal, retry, timer } from "./build.ts";
import type { Random } from "./random.ts";

/** Something to wait for. */
export function randomWait(random: Random): WaitTrigger {
  return random.pick<() => WaitTrigger>([
    () => onMessage("news", "n"),
    () => onMessage("news"),
    () => onSignal("bell"),
    () => onCondition("n > 2"),
    () => onCondition("n % 2 == 0", ["n"]),
    () => onCondition("missing > n"),
    () => onCondition("flag"),
  ])();
}

/** Two things to wait for in one event: either, or both. */
export function randomSeveral(random: Random): {
  readonly type: "multiple";
  readonly parallel: boolean;
  readonly triggers: readonly WaitTrigger[];
} {
  const cycle = { type: "timer" as const, timer: timer("cycle", "R2/PT4S") };
  const triggers = [randomWait(random), random.chance(0.3) ? cycle : randomWait(random)];
  return { type: "multiple", parallel: random.chance(0.5), triggers };
}

export function randomThrow(random: Random): IntermediateThrowEvent["trigger"] {
  const payload = map({ n: "n" });
  const signal = { name: literal("bell"), payload };
  const escalation = { type: "escalation" as const, code: random.pick(["E1", "E2"]), payload };
  return random.pick<IntermediateThrowEvent["trigger"]>([
    { type: "message", message: { ...message("news"), payload } },
    { type: "message", message: { ...message("news"), payload }, job: { type: "mail", retry: retry(2) } },
    { type: "signal", signal },
    escalation,
    { type: "multiple", triggers: [{ type: "compensation" }, escalation, { type: "signal", signal }] },
  ]);
}
