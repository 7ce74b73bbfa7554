import { hash } from "node:crypto";
import type { Element, JsonObject, ProgramDocument } from "@tutti/kernel";
import { Random, randomProgram } from "@tutti/kernel/testing";
import { seedOf } from "../simulation/random.ts";

export const jobTypes = ["alpha", "beta", "gamma"] as const;

/** What random programs call the message and the signal that they know; here each seed has names of its own. */
export function messageName(seed: number): string {
  return `news-${seed}`;
}

export function signalName(seed: number): string {
  return `bell-${seed}`;
}

/** One seed's processes, the one to start last: each calls those before it. */
export function randomProcesses(seed: number): readonly ProgramDocument[] {
  const called: string[] = [];
  return ["leaf", "child", "main"].map((role, index) => {
    const random = new Random(seedOf(seed, index));
    const document = randomProgram(random, random.chance(0.2));
    const made = named(document, { seed, id: `${role}-${seed}`, called: [...called], random });
    called.push(made.id);
    return made;
  });
}

interface Names {
  readonly seed: number;
  readonly id: string;
  readonly called: readonly string[];
  readonly random: Random;
}

function named(document: ProgramDocument, { seed, id, called, random }: Names): ProgramDocument {
  const silent = beginnings(document);
  const elements = document.elements.map((element): Element => {
    if (silent.has(element.id))
      return {
        ...element,
        trigger: { type: "message", message: { name: { literal: "nobody-says-this" } } },
      } as Element;
    const text = JSON.stringify(element, (name, value: unknown) => {
      if (value === "news") return messageName(seed);
      if (value === "bell") return signalName(seed);
      return name === "job" ? offered(value as JsonObject, random) : value;
    });
    const made = JSON.parse(text) as Element;
    if (made.kind !== "call-activity") return made;
    const process = called.length === 0 || random.chance(0.05) ? `nobody-${seed}` : random.pick(called);
    return { ...made, process, ...(made.processFrom === undefined ? {} : { processFrom: computed(random, process) }) };
  });
  const body = { ...document, id, elements, hash: "" };
  return { ...body, hash: hash("sha256", JSON.stringify(body), "hex") };
}

/** Of the few types that somebody works on, in any class and of any priority. */
function offered(job: JsonObject, random: Random): JsonObject {
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

/**
 * Events that would begin an instance: whose id the two engines make each in its own way, so nobody calls them here.
 * Other tests have them.
 */
function beginnings({ elements, flows }: ProgramDocument): ReadonlySet<string> {
  const begins = elements.filter(({ id }) => id.startsWith("begin"));
  const gateways = new Set(begins.filter(({ kind }) => kind === "event-based-gateway").map(({ id }) => id));
  const next = flows.filter(({ from }) => gateways.has(from)).map(({ to }) => to);
  return new Set([...begins.map(({ id }) => id).filter((id) => !gateways.has(id)), ...next]);
}
