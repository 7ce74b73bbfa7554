import type { Event, EventType, Json, JsonObject } from "@tutti/kernel";
import type { EventRecord } from "@tutti/protocol";
import { plural } from "../terminal/text.ts";

/** One thing that happened, for a person. `unit` is null for what concerns the run as a whole. */
export interface Told {
  readonly at: number;
  readonly unit: string | null;
  readonly text: string;
  readonly tone: "plain" | "good" | "bad" | "attention";
}

interface Known {
  readonly process: string;
  readonly unit: string | null;
}

type Line = Omit<Told, "at" | "unit"> & { readonly unit?: string };
type Tellers = {
  readonly [K in EventType]?: (event: Extract<Event, { readonly type: K }>, where: Known) => Line | undefined;
};

/**
 * Turns the events of one run into sentences. It has to see every event from the run's beginning: which unit an
 * instance works on is said only when it is called.
 */
export class Narrator {
  readonly #known = new Map<string, Known>();

  tell({ event, instanceId, at }: EventRecord): Told | undefined {
    if (event.type === "instance-created" && event.parent === undefined) {
      this.#known.set(instanceId, { process: event.process, unit: null });
    }
    if (event.type === "child-requested") {
      this.#known.set(event.childId, { process: event.process, unit: unitId(event.variables["unit"]) });
    }
    const where = this.#known.get(instanceId) ?? { process: "", unit: null };
    // Indexing by a union loses which teller belongs to which event; the type of `tellers` has proven it.
    const teller = tellers[event.type] as ((event: Event, where: Known) => Line | undefined) | undefined;
    const line = teller?.(event, where);
    return line === undefined ? undefined : { unit: where.unit, ...line, at };
  }
}

const tellers: Tellers = {
  "instance-created": (_event, { process }) => (process === "feature" ? plain("run started") : undefined),
  "instance-paused": ({ reason }, { process }) =>
    process === "feature" ? attention(`paused${reason === "" ? "" : `: ${reason}`}`) : undefined,
  "instance-resumed": (_event, { process }) => (process === "feature" ? plain("resumed") : undefined),
  "instance-forked": ({ from, reason, actor }, { process }) =>
    process === "feature" ? plain(`goes on from there as a fork of ${from} (${actor}: ${reason})`) : undefined,
  "instance-completed": (_event, { process }) => (process === "feature" ? good("run completed") : undefined),
  "instance-failed": ({ error }, { process }) =>
    process === "feature" ? bad(`run failed (${error.code}): ${error.message}`) : undefined,
  "instance-cancelled": ({ reason, actor }, { process }) =>
    process === "feature" ? bad(`run cancelled${actor === undefined ? "" : ` by ${actor}`}: ${reason}`) : undefined,
  "child-requested": ({ process, variables }, where) =>
    where.process === "merge" && process === "work-loop"
      ? attention(`${unitId(variables["unit"]) ?? "a unit"} goes back to its work loop`)
      : undefined,
  "item-activated": ({ item, attempt, predecessors }, { process }) => {
    // What stands in the way of the merge was told when it was found.
    if (process === "merge") return undefined;
    const after = predecessors.length === 0 ? "" : `, builds on ${predecessors.join(", ")}`;
    return { ...plain(attempt === 1 ? `started${after}` : `started again, round ${attempt}${after}`), unit: item };
  },
  "item-blocked": ({ item, lock }) => ({ ...plain(`waits for ${lock}`), unit: item }),
  "item-completed": ({ item, result }, { process }) => {
    if (process === "merge") return { ...good("waits to be merged again"), unit: item };
    const attempts = objectOf(result)["attempts"];
    return { ...good(`done${Number(attempts) > 1 ? ` after ${attempts} attempts` : ""}`), unit: item };
  },
  "item-failed": ({ item, error, retry }) => ({
    ...bad(`failed (${error.code}): ${error.message}${retry ? "; another round follows" : ""}`),
    unit: item,
  }),
  "item-skipped": ({ item, cause }) => ({ ...bad(`skipped, because ${cause} failed`), unit: item }),
  "items-retried": ({ items }) => plain(`trying again: ${items.join(", ")}`),
  "items-accepted": ({ items, by, reason }) => attention(`going on without ${items.join(", ")} (${by}: ${reason})`),
  "concurrency-adjusted": ({ maxParallel, actor }) => plain(`at most ${maxParallel ?? "all"} units at once (${actor})`),
  "job-created": ({ jobType, input }) => jobLine(jobType, input),
  "job-failed": ({ error, retryAt }) =>
    bad(`a step failed (${error.code}): ${error.message}${retryAt === undefined ? "" : "; it is tried again"}`),
  "variables-set": ({ values }, where) => valuesLine(values, where),
  "incident-created": ({ error }) => attention(`waits for a person (${error.code}): ${error.message}`),
  "incident-resolved": ({ action, actor, reason }) =>
    action === "gone" ? undefined : plain(`${action === "retry" ? "tried again" : "accepted"} by ${actor}: ${reason}`),
  "task-created": ({ title }) => attention(title),
  "task-completed": ({ actor }) => plain(`decided by ${actor}`),
};

function jobLine(jobType: string, input: JsonObject): Line | undefined {
  switch (jobType) {
    case "feature.plan":
      return plain(input["planned"] === null ? "a planner agent makes the plan" : "checking the plan");
    case "unit.apply":
      return plain(`attempt ${input["attempt"]}: the agent edits`);
    case "merge.land": {
      const batch = objectOf(input["state"])["batch"];
      return plain(`merging ${Array.isArray(batch) ? batch.join(", ") : "a batch"}`);
    }
    case "merge.bisect":
      return plain("looking for the unit that breaks the merged tree");
    case "feature.publish":
      return plain("publishing");
    default:
      return undefined;
  }
}

function valuesLine(values: JsonObject, { process }: Known): Line | undefined {
  const { tested, verdict, plan, published, trouble } = values;
  if (process === "work-loop" && isSet(tested)) return testedLine(objectOf(tested));
  if (process === "merge" && isSet(verdict)) {
    return objectOf(verdict)["passed"] === true
      ? good("the merged tree passes its checks")
      : bad("the merged tree fails its checks");
  }
  if (process === "merge" && isSet(trouble)) return attention(String(objectOf(trouble)["message"]));
  if (process === "feature" && isSet(published)) return good(`published branch ${objectOf(published)["branch"]}`);
  const units = objectOf(plan)["units"];
  if (process === "feature" && Array.isArray(units)) return good(`planned ${plural(units.length, "unit")}`);
  return undefined;
}

/** Declared variables are null before somebody writes them. */
function isSet(value: Json | undefined): value is Json {
  return value !== undefined && value !== null;
}

function testedLine(tested: JsonObject): Line {
  if (tested["passed"] === true) return good("its checks pass");
  return bad(`not yet: ${String(tested["reason"] ?? "its checks fail")}`);
}

function unitId(unit: Json | undefined): string | null {
  const { id } = objectOf(unit);
  return typeof id === "string" ? id : null;
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

const plain = (text: string): Line => ({ text, tone: "plain" });
const good = (text: string): Line => ({ text, tone: "good" });
const bad = (text: string): Line => ({ text, tone: "bad" });
const attention = (text: string): Line => ({ text, tone: "attention" });
