import type {
  EndEvent,
  IntermediateThrowEvent,
  JobDefinition,
  SlaRule,
  Source,
  TimerDefinition,
  WaitTrigger,
} from "../program.ts";
import { expr, literal, map, message, onCondition, onMessage, onSignal, retry, timer, variable } from "./build.ts";
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
    () => ({ type: "timer", timer: randomOnce(random) }),
  ])();
}

/** A moment; now and then one that cannot be worked out, or has passed. */
export function randomOnce(random: Random): TimerDefinition {
  return random.oneOf<TimerDefinition>([
    [6, () => timer("duration", "PT5S")],
    [1, () => timer("duration", "nonsense")],
    [1, () => timer("duration", expr("'PT3S'"))],
    [1, () => timer("date", "1970-01-01T00:00:30Z")],
    [1, () => timer("date", expr("n * 9000"))],
  ]);
}

/** What comes again, if nothing ends it. */
export function randomCycle(random: Random): TimerDefinition {
  return random.oneOf<TimerDefinition>([
    [2, () => timer("cycle", "R3/PT2S")],
    [2, () => timer("cycle", "R/PT3S")],
    [1, () => timer("cron", "*/7 * * * * *")],
    [1, () => timer("cron", expr("missing"))],
  ]);
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

/** A name that is worked out only as it is needed; not every one comes to a text. */
export function randomSource(random: Random, name: string): Source {
  return random.pick([expr(`'${name}'`), expr(`'${name}'`), variable("n"), expr("missing"), expr("maybe missing")]);
}

/** The code of an error or an escalation, as it is given or worked out. */
export function randomCode(random: Random): { readonly code: string; readonly codeFrom?: Source } {
  const code = random.pick(["E1", "E2"]);
  return random.chance(0.15) ? { code, codeFrom: randomSource(random, code) } : { code };
}

/** The type of a job, which may be worked out. */
export function randomType(random: Random, type: string): Pick<JobDefinition, "type" | "typeFrom"> {
  return random.chance(0.1) ? { type, typeFrom: randomSource(random, type) } : { type };
}

export function randomThrow(random: Random): Extract<IntermediateThrowEvent["trigger"], EndEvent["trigger"]> {
  const payload = map({ n: "n" });
  const signal = { name: literal("bell"), payload };
  const escalation = { type: "escalation" as const, ...randomCode(random), payload };
  const job = { ...randomType(random, "mail"), retry: retry(2) };
  return random.pick<Extract<IntermediateThrowEvent["trigger"], EndEvent["trigger"]>>([
    { type: "message", message: { ...message("news"), payload } },
    { type: "message", message: { ...message("news"), payload }, job },
    { type: "signal", signal },
    escalation,
    { type: "multiple", triggers: [{ type: "compensation" }, escalation, { type: "signal", signal }] },
  ]);
}

/** What the end of a way does: mostly nothing, else what any event throws, or that and an end of more than the way. */
export function randomEnd(random: Random): EndEvent["trigger"] {
  const last = random.pick([
    { type: "terminate" as const },
    { type: "error" as const, ...randomCode(random) },
    { type: "compensation" as const },
  ]);
  const said = { type: "message" as const, message: message("news") };
  const escalation = { type: "escalation" as const, ...randomCode(random) };
  return random.oneOf<EndEvent["trigger"]>([
    [10, () => ({ type: "none" })],
    [2, () => randomThrow(random)],
    [1, () => ({ type: "multiple", triggers: [said, escalation, last] })],
  ]);
}

/** What is done about a task that nobody begins or completes. */
export function randomSla(random: Random): SlaRule {
  const on = random.pick(["not-started", "not-completed"] as const);
  const kind = random.pick(["duration", "cycle"] as const);
  const after = timer(kind, kind === "duration" ? "PT4S" : "R2/PT3S");
  const action = random.pick([
    { type: "notify" as const, to: ["a"] },
    { type: "reassign" as const, to: ["b"] },
    { type: "escalate" as const, code: "E1" },
  ]);
  return { on, after, action, repeat: random.chance(0.5) };
}
