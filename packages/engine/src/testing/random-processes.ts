import { hash } from "node:crypto";
import type { Element, JsonObject, ProgramDocument, TimerDefinition } from "@tutti/kernel";
import { type Random, randomProgram } from "@tutti/kernel/testing";

/** What a random program of the kernel's is called, and everything in it that stands in relation to others. */
export interface Names {
  readonly id: string;
  readonly version?: string;
  /** Of the one message and the one signal that it knows. */
  readonly message: string;
  readonly signal: string;
  /** The same of events that begin an instance, and when that is to be; null: nothing begins by itself. */
  readonly start: { readonly message: string; readonly signal: string; readonly timer: TimerDefinition } | null;
  readonly jobTypes: readonly string[];
  /** The processes that it may call. */
  readonly called: readonly string[];
  /** Called now and then, and never there. */
  readonly nobody: string;
  /** How many of them have flows that nobody would draw, from 0 to 1. */
  readonly tangledShare: number;
}

/** One of the kernel's random programs, of the whole language, among others. */
export function randomProcess(random: Random, names: Names): ProgramDocument {
  const document = randomProgram(random, random.chance(names.tangledShare));
  const { id, version = document.version } = names;
  const begins = beginnings(document);
  const elements = document.elements.map((element): Element => {
    const isBeginning = begins.has(element.id);
    if (isBeginning && names.start === null) {
      return {
        ...element,
        trigger: { type: "message", message: { name: { literal: "nobody-says-this" } } },
      } as Element;
    }
    const beginning = isBeginning ? names.start : null;
    const { message, signal } = beginning ?? names;
    const text = JSON.stringify(element, (name, value: unknown) => {
      if (value === "news") return message;
      if (value === "bell") return signal;
      if (beginning !== null && name === "timer") return beginning.timer;
      return name === "job" ? offered(value as JsonObject, random, names.jobTypes) : value;
    });
    const made = JSON.parse(text) as Element;
    if (made.kind !== "call-activity") return made;
    const process = names.called.length === 0 || random.chance(0.05) ? names.nobody : random.pick(names.called);
    return { ...made, process, ...(made.processFrom === undefined ? {} : { processFrom: computed(random, process) }) };
  });
  const body = { ...document, id, version, elements, hash: "" };
  return { ...body, hash: hash("sha256", JSON.stringify(body), "hex") };
}

/** Of the few types that somebody works on, in any class and of any priority. */
function offered(job: JsonObject, random: Random, jobTypes: readonly string[]): JsonObject {
  const type = random.pick(jobTypes);
  const queue = random.pick(["light", "standard", "heavy"] as const);
  const priority = random.chance(0.3) ? { priority: 1 + random.below(5) } : {};
  const from = job["typeFrom"] === undefined ? {} : { typeFrom: computed(random, type) };
  return { ...job, type, ...from, queue, ...priority };
}

/** Where that name comes from; now and then nothing does. */
function computed(random: Random, name: string): { readonly literal: string } | { readonly variable: string } {
  return random.chance(0.7) ? { literal: name } : { variable: "missing" };
}

/** Events that would begin an instance. */
function beginnings({ elements, flows }: ProgramDocument): ReadonlySet<string> {
  const begins = elements.filter(({ id }) => id.startsWith("begin"));
  const gateways = new Set(begins.filter(({ kind }) => kind === "event-based-gateway").map(({ id }) => id));
  const next = flows.filter(({ from }) => gateways.has(from)).map(({ to }) => to);
  return new Set([...begins.map(({ id }) => id).filter((id) => !gateways.has(id)), ...next]);
}
