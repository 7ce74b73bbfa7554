import type { Element, ProgramDocument } from "@tutti/kernel";
import { Random, testHost } from "@tutti/kernel/testing";
import { randomProcess } from "../testing/random-processes.ts";
import { messageName, signalName, startName } from "./post.ts";
import { seedOf } from "./random.ts";
import { jobTypes, type World } from "./world.ts";

/**
 * The same deployment as of a world of blocks, but of the kernel's random programs: every kind of element there is, also
 * in ways that nobody would draw.
 */
export function languageWorld(seed: number): World {
  const leaf = grown(seedOf(seed, 0), "leaf");
  const child = grown(seedOf(seed, 1), "child", { called: ["leaf"] });
  const main = grown(seedOf(seed, 2), "main", { called: ["child", "leaf"] });
  const next = grown(seedOf(seed, 3), "leaf", { version: "2.0.0" });
  return { documents: [leaf, child, main, next], host: testHost, correlationKeys: ["0", "1", undefined] };
}

function grown(
  seed: number,
  id: string,
  { called = [], version = "1.0.0" }: { readonly called?: readonly string[]; readonly version?: string } = {},
): ProgramDocument {
  const document = randomProcess(new Random(seed), {
    ...{ id, version, called, nobody: "nowhere", jobTypes, message: messageName, signal: signalName },
    // What instances say begins none: each would begin others that say it too, without end.
    ...{ start: { message: startName, signal: "dawn", timer: { kind: "duration", value: { literal: "PT5S" } } } },
    // At the end of a schedule all is done that is asked for, and then nothing more may be: so there are no circles …
    tangledShare: 0,
  });
  // … and no rounds and timers without end.
  return JSON.parse(JSON.stringify(document, (_name, value: unknown) => bounded(value))) as ProgramDocument;
}

function bounded(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/^R\/PT/, "R3/PT");
  if (typeof value !== "object" || value === null) return value;
  // A boundary event that stays and waits for several conditions is met again at once while they hold, without end.
  if ("attachedTo" in value && JSON.stringify(value).includes('"multiple"')) return { ...value, interrupting: true };
  if ("testBefore" in value && !("maximum" in value)) return { ...value, maximum: 3 };
  return "kind" in value && value.kind === "cron" ? { kind: "cycle", value: { literal: "R3/PT7S" } } : value;
}

/** What is special about an element: a crash has to meet each of these. */
export function traitsOf(element: Element): readonly string[] {
  const { kind } = element;
  const traits: string[] = [kind];
  if ("trigger" in element) traits.push(`${element.trigger.type} ${kind}`);
  if ("loop" in element && element.loop !== undefined) traits.push(`${element.loop.mode} loop`);
  if ("transaction" in element && element.transaction) traits.push("transaction");
  if ("triggeredByEvent" in element && element.triggeredByEvent) traits.push("event sub-process");
  if ("forCompensation" in element && element.forCompensation) traits.push("compensation handler");
  return traits;
}
