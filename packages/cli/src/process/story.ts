import type { RecordedEvent } from "@tutti/engine";
import type { Element, FailureInfo, ProgramDocument } from "@tutti/kernel";
import { type Step, stepName } from "@tutti/testing";
import type { Output } from "../terminal/output.ts";

const verbs: { readonly [T in Step["type"]]: string } = {
  started: "start",
  ended: "end",
  stopped: "stop",
  passed: "pass",
  undoing: "undo",
  undone: "undone",
};

/** Prints what happens in a trial: a line for each element as it starts and ends, and for each failure. */
export class Story {
  readonly #out: Output;
  readonly #elements: ReadonlyMap<string, ReadonlyMap<string, Element>>;
  /** Process and whether somebody called it, by instance. */
  readonly #instances: Map<string, { readonly process: string; readonly called: boolean }> = new Map();
  /** Element by instance and element instance. */
  readonly #active: Map<string, string> = new Map();
  #begunAt: number | undefined;

  constructor(out: Output, programs: readonly ProgramDocument[]) {
    this.#out = out;
    this.#elements = new Map(
      programs.map(({ id, elements }) => [id, new Map(elements.map((element) => [element.id, element]))]),
    );
  }

  /** Epoch ms of the first event; undefined while there is none. */
  get begunAt(): number | undefined {
    return this.#begunAt;
  }

  event({ event, instanceId, at }: RecordedEvent): void {
    this.#begunAt ??= at;
    if (event.type === "instance-created") {
      this.#instances.set(instanceId, { process: event.process, called: event.parent !== undefined });
    }
    if (event.type === "element-activated") this.#active.set(`${instanceId}/${event.key}`, event.element);
    if (event.type === "incident-created") this.#trouble("incident", { event, instanceId, element: event.element, at });
    if (event.type === "instance-failing") this.#trouble("fail", { event, instanceId, element: null, at });
    if (event.type === "expression-doubted") this.#doubt({ event, instanceId, at });
    if (event.type === "task-notified") this.#told({ event, instanceId, at });
    if (event.type === "job-failed" || event.type === "job-error-thrown") {
      const element = this.#active.get(`${instanceId}/${event.key}`) ?? null;
      this.#trouble(event.type === "job-failed" ? "fail" : "throw", { event, instanceId, element, at });
    }
  }

  /** What a person did, and why. */
  byHand({ event, at }: RecordedEvent): void {
    if (!("actor" in event) || !event.actor.startsWith("person:")) return;
    // What came with a start or a result is told by these.
    if (event.type === "variables-set" && event.reason === undefined) return;
    const reason = "reason" in event && event.reason !== undefined ? `: ${event.reason}` : "";
    // One that goes on under its own id has come from another engine.
    const what = event.type === "instance-forked" && event.from === event.instanceId ? "instance-moved" : event.type;
    this.#line(at, this.#out.style.yellow("by hand"), `${what} by ${event.actor}${reason}`);
  }

  /** A null that nobody asked for: it explains what follows. */
  #doubt(where: {
    readonly event: { readonly scope: number; readonly expression: string; readonly warnings: readonly string[] };
    readonly instanceId: string;
    readonly at: number;
  }): void {
    const { instanceId, at } = where;
    const { scope, expression, warnings } = where.event;
    const element = this.#active.get(`${instanceId}/${scope}`) ?? null;
    const told = `'${expression}': ${warnings.join("; ")}`;
    this.#line(at, this.#out.style.yellow("warn"), `${this.#prefix(instanceId)}${told}`);
    this.#out.line({ type: "warning", instanceId, element, expression, warnings: [...warnings], at });
  }

  /** A rule of a user task tells somebody. Who follows the history passes it on. */
  #told(where: {
    readonly event: { readonly key: number; readonly to: readonly string[]; readonly message: string };
    readonly instanceId: string;
    readonly at: number;
  }): void {
    const { instanceId, at } = where;
    const { key, to, message } = where.event;
    const element = this.#active.get(`${instanceId}/${key}`) ?? null;
    this.#line(at, this.#out.style.yellow("told"), `${this.#prefix(instanceId)}${to.join(", ")}: ${message}`);
    this.#out.line({ type: "told", instanceId, element, to: [...to], message, at });
  }

  #trouble(
    type: "incident" | "fail" | "throw",
    where: {
      readonly event: { readonly error: FailureInfo };
      readonly instanceId: string;
      readonly element: string | null;
      readonly at: number;
    },
  ): void {
    const { event, instanceId, at } = where;
    const { code, message } = event.error;
    const element = where.element ?? this.#instances.get(instanceId)?.process ?? instanceId;
    const paint = type === "throw" ? this.#out.style.yellow : this.#out.style.red;
    this.#line(at, paint(type), `${this.#prefix(instanceId)}${element}: ${code}: ${message}`);
    this.#out.line({ type, instanceId, element: where.element, code, message, at });
  }

  step(step: Step): void {
    const { instanceId, element, type, at } = step;
    const { process = "" } = this.#instances.get(instanceId) ?? {};
    const known = this.#elements.get(process)?.get(element);
    const { name, kind = null } = known ?? {};
    const about = type === "started" || type === "passed" ? aboutOf(known) : "";
    this.#line(at, verbs[type], `${this.#prefix(instanceId)}${stepName(step)}${about}`);
    this.#out.line({ process, kind, name: name ?? element, ...step });
  }

  /** Whose element it is, unless it is the process that was started. */
  #prefix(instanceId: string): string {
    const { process, called } = this.#instances.get(instanceId) ?? { process: instanceId, called: false };
    return called ? `${process}: ` : "";
  }

  #line(at: number, verb: string, text: string): void {
    const { dim } = this.#out.style;
    const elapsed = elapsedTime(at - (this.#begunAt ?? at));
    this.#out.text(`${dim(elapsed.padStart(9))}  ${verb.padEnd(8)}  ${text}`);
  }
}

function aboutOf(element: Element | undefined): string {
  if (element === undefined) return "";
  const job = "job" in element && element.job !== undefined ? ` ${element.job.type}` : "";
  const name = element.name === undefined || element.name === element.id ? "" : `${element.name}, `;
  return ` (${name}${element.kind}${job})`;
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** `7d`, `2h30m`, `1s500ms`: as answers and definitions write durations. */
export function elapsedTime(ms: number): string {
  let rest = ms;
  let text = "";
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === "" ? "0s" : text;
}
