import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import type { RecordedEvent } from "@tutti/engine";
import { type InstanceView, type JsonObject, must } from "@tutti/kernel";
import { type Step, stepName } from "./path.ts";

/** One instance of a trial: what it went through, what it waits for, and what a test expects of that. */
export class TrialInstance {
  readonly id: string;
  readonly process: string;
  /** The call that started it; null for one that nobody called. */
  readonly parentId: string | null;
  readonly events: RecordedEvent[] = [];
  readonly steps: Step[] = [];
  hasEnded = false;
  #view: InstanceView | undefined;
  #shown = -1;

  constructor(id: string, { event }: RecordedEvent) {
    this.id = id;
    this.process = event.type === "instance-created" ? event.process : "";
    this.parentId = event.type === "instance-created" ? (event.parent?.instanceId ?? null) : null;
  }

  /** As it was when the last call to the trial returned. */
  get view(): InstanceView {
    return must(this.#view, "an instance is shown before its trial hands it out");
  }

  /** Elements in the order they started, gateways and events included; `review[b]` is the item b of a collection. */
  get path(): readonly string[] {
    return this.steps.filter(({ type }) => type === "started" || type === "passed").map(stepName);
  }

  /** Elements in the order they ended by themselves. */
  get completed(): readonly string[] {
    return this.steps.filter(({ type }) => type === "ended" || type === "passed").map(stepName);
  }

  /** Elements it waits at, each once, in alphabetical order. */
  get waitingAt(): readonly string[] {
    return [
      ...new Set(this.view.waiting.map(({ element, item }) => stepName({ element: element ?? this.id, item }))),
    ].sort();
  }

  /** Codes of its open incidents. */
  get incidents(): readonly string[] {
    return this.view.incidents.map(({ error }) => error.code);
  }

  /** Exactly these elements started, in this order. */
  expectPath(expected: readonly string[]): this {
    return this.#expect("path", this.path, expected);
  }

  /** These elements started in this order, whatever came before, between and after. */
  expectOrder(expected: readonly string[]): this {
    let from = 0;
    for (const name of expected) {
      const at = this.path.indexOf(name, from);
      if (at < 0) return this.#expect(`order (${name})`, this.path, expected);
      from = at + 1;
    }
    return this;
  }

  /** None of these elements ever started. */
  expectNever(...elements: readonly string[]): this {
    const started = elements.filter((element) => this.steps.some((step) => step.element === element));
    return this.#expect("elements that never start", started, []);
  }

  /** It waits at exactly these elements, in any order; at none once it has ended. */
  expectWaiting(...elements: readonly string[]): this {
    return this.#expect("elements it waits at", this.waitingAt, elements.toSorted());
  }

  /** The variables of the process have these values; others are not looked at. */
  expectVariables(expected: JsonObject): this {
    const found = Object.fromEntries(Object.keys(expected).map((name) => [name, this.view.variables[name]]));
    return this.#expect("variables", found, expected);
  }

  /** The codes of its open incidents, in the order they came up. */
  expectIncidents(...codes: readonly string[]): this {
    return this.#expect("incidents", this.incidents, codes);
  }

  /** It has ended so; `failed` may name the code of the error, `completed` the result. */
  expectEnd(status: "completed" | "failed" | "cancelled", more?: string | JsonObject): this {
    const { outcome, status: found, waiting } = this.view;
    const open = waiting.map(({ element, reason }) => `${element}: ${reason}`);
    this.#expect(`status${open.length === 0 ? "" : ` (it waits: ${open.join("; ")})`}`, found, status);
    if (typeof more === "string" && outcome?.type === "failed") this.#expect("error", outcome.error.code, more);
    if (typeof more === "object" && outcome?.type === "completed") this.#expect("result", outcome.result, more);
    return this;
  }

  get isStale(): boolean {
    return this.#shown !== this.events.length;
  }

  show(view: InstanceView): void {
    this.#view = view;
    this.#shown = this.events.length;
  }

  take(recorded: RecordedEvent, step: Step | undefined): void {
    this.events.push(recorded);
    if (step !== undefined) this.steps.push(step);
    const { type } = recorded.event;
    if (type === "instance-completed" || type === "instance-failed" || type === "instance-cancelled")
      this.hasEnded = true;
  }

  #expect(what: string, actual: unknown, expected: unknown): this {
    if (isDeepStrictEqual(actual, expected)) return this;
    const message = `Expected another ${what} of '${this.id}':\nexpected ${text(expected)}\nbut is   ${text(actual)}`;
    throw new AssertionError({ message, actual, expected, operator: "deepStrictEqual" });
  }
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? "nothing";
}
