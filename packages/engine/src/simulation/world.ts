import type {
  Element,
  Host,
  Json,
  Mapping,
  MessageDefinition,
  MultiInstance,
  ProgramDocument,
  SlaRule,
  TimerDefinition,
} from "@tutti/kernel";
import { testHost } from "../testing/host.ts";
import { program } from "../testing/programs.ts";
import { messageName, signalName, startName } from "./post.ts";
import { Random } from "./random.ts";

/** Job types of all random programs; each has a worker most of the time. */
export const jobTypes: readonly string[] = ["cook", "wash", "serve"];

/** Processes, and what they are written in. */
export interface World {
  readonly documents: readonly ProgramDocument[];
  readonly host: Host;
  /** Under which messages are waited for. */
  readonly correlationKeys: readonly (string | undefined)[];
}

/** Few, so that those who send and those who wait meet. */
const correlationKeys: World["correlationKeys"] = ["a", undefined];

interface Block {
  readonly first: string;
  readonly last: string;
}

const flagOut: readonly Mapping[] = [{ target: "flag", source: { variable: "flag" }, optional: true }];

function lasting(seconds: number): TimerDefinition {
  return { kind: "duration", value: { literal: `PT${seconds}S` } };
}

/** Rules of every user task: one tells, one takes the task away again and again. */
const rules: readonly SlaRule[] = [
  { on: "not-started", after: lasting(20), action: { type: "notify", to: ["boss"] } },
  { on: "not-completed", after: lasting(45), action: { type: "reassign", to: ["team"] }, repeat: true },
];

/**
 * Grows a program block by block. Elements are added in the order of their flow, so that a flow from an earlier to a
 * later one makes no circle: a circle without a job in it would never come to rest.
 */
class Grower {
  readonly elements: Element[] = [];
  readonly flows: string[] = [];
  readonly #random: Random;
  readonly #called: readonly string[];
  #count = 0;

  constructor(random: Random, called: readonly string[]) {
    this.#random = random;
    this.#called = called;
  }

  scope(parent: string | null, depth: number): void {
    const from = this.#add({ kind: "start-event", id: this.#id("start"), parent, trigger: { type: "none" } });
    const content = this.#sequence(parent, depth);
    const to = this.#add({ kind: "end-event", id: this.#id("end"), parent, trigger: { type: "none" } });
    this.flows.push(`${from.last}>${content.first}`, `${content.last}>${to.first}`);
  }

  /** Some flows more, so that the program is sound no longer. */
  tangle(): void {
    const handlers = this.elements.filter((each) => "forCompensation" in each).map((each) => each.id);
    for (let left = 1 + this.#random.below(2); left > 0; left--) {
      const from = this.#random.below(this.elements.length);
      const to = this.#random.below(this.elements.length);
      const [a, b] = [this.elements[from], this.elements[to]];
      if (a === undefined || b === undefined || from >= to || a.parent !== b.parent) continue;
      if (a.kind === "end-event" || a.kind === "boundary-event" || handlers.includes(a.id)) continue;
      if (b.kind === "start-event" || b.kind === "boundary-event" || handlers.includes(b.id)) continue;
      this.flows.push(`${a.id}>${b.id}`);
    }
  }

  #id(kind: string): string {
    this.#count++;
    return `${kind}${this.#count}`;
  }

  #add(element: Element): Block {
    this.elements.push(element);
    return { first: element.id, last: element.id };
  }

  #sequence(parent: string | null, depth: number): Block {
    const first = this.#block(parent, depth);
    let { last } = first;
    for (let more = this.#random.below(depth > 0 ? 3 : 2); more > 0; more--) {
      const next = this.#block(parent, depth);
      this.flows.push(`${last}>${next.first}`);
      last = next.last;
    }
    return { first: first.first, last };
  }

  #block(parent: string | null, depth: number): Block {
    const make = this.#random.weighted<() => Block>([
      [6, () => this.#activity(parent, depth)],
      [1, () => this.#wait(parent)],
      [0.6, () => this.#awaitMessage(parent)],
      [0.3, () => this.#awaitSignal(parent)],
      [0.6, () => this.#tell(parent)],
      [0.4, () => this.#undo(parent)],
      [depth > 0 ? 1.2 : 0, () => this.#split(parent, depth)],
      [depth > 0 ? 1.2 : 0, () => this.#choice(parent, depth)],
      [0.4, () => this.#early(parent)],
      [0.5, () => this.#repeat(parent)],
    ]);
    return make();
  }

  #wait(parent: string | null): Block {
    const timer = this.#random.chance(0.1)
      ? { kind: "duration" as const, value: { literal: "nonsense" } }
      : lasting(1 + this.#random.below(20));
    return this.#add({
      kind: "intermediate-catch-event",
      id: this.#id("wait"),
      parent,
      trigger: { type: "timer", timer },
    });
  }

  #message(): MessageDefinition {
    const key = this.#random.pick(correlationKeys);
    return {
      name: { literal: messageName },
      ...(key === undefined ? {} : { correlationKey: { literal: key } }),
    };
  }

  #awaitMessage(parent: string | null): Block {
    const message = this.#message();
    if (this.#random.chance(0.3)) {
      return this.#add({ kind: "receive-task", id: this.#id("receive"), parent, message, outputs: flagOut });
    }
    const trigger = { type: "message" as const, message };
    return this.#add({ kind: "intermediate-catch-event", id: this.#id("hear"), parent, trigger, outputs: flagOut });
  }

  #awaitSignal(parent: string | null): Block {
    const trigger = { type: "signal" as const, signal: { name: { literal: signalName } } };
    return this.#add({ kind: "intermediate-catch-event", id: this.#id("watch"), parent, trigger });
  }

  #tell(parent: string | null): Block {
    const ttlMs = this.#random.pick([0, 5_000, 60_000]);
    const trigger = this.#random.chance(0.3)
      ? { type: "signal" as const, signal: { name: { literal: signalName } } }
      : { type: "message" as const, message: { ...this.#message(), ttlMs, payload: flagOut } };
    return this.#add({ kind: "intermediate-throw-event", id: this.#id("tell"), parent, trigger });
  }

  /** A second way to begin the process: with a message, or by itself now and then. */
  beginning(): void {
    const trigger = this.#random.chance(0.5)
      ? { type: "message" as const, message: { name: { literal: startName } } }
      : { type: "timer" as const, timer: { kind: "cycle" as const, value: { literal: "R2/PT7S" } } };
    const from = this.#add({ kind: "start-event", id: this.#id("begin"), parent: null, trigger });
    const task = this.#add(this.#service(null));
    const to = this.#add({ kind: "end-event", id: this.#id("end"), parent: null, trigger: { type: "none" } });
    this.flows.push(`${from.last}>${task.first}`, `${task.last}>${to.first}`);
  }

  #undo(parent: string | null): Block {
    return this.#add({
      kind: "intermediate-throw-event",
      id: this.#id("undo"),
      parent,
      trigger: { type: "compensation" },
    });
  }

  #split(parent: string | null, depth: number): Block {
    const fork = this.#add({ kind: "parallel-gateway", id: this.#id("fork"), parent });
    const branches = [this.#sequence(parent, depth - 1), this.#sequence(parent, depth - 1)];
    const join = this.#add({ kind: "parallel-gateway", id: this.#id("join"), parent });
    for (const branch of branches) this.flows.push(`${fork.first}>${branch.first}`, `${branch.last}>${join.first}`);
    return { first: fork.first, last: join.last };
  }

  /** Without a default now and then: then no way may be open, which is an incident. */
  #choice(parent: string | null, depth: number): Block {
    const id = this.#id("xor");
    const index = this.elements.length;
    this.#add({ kind: "exclusive-gateway", id, parent });
    const [yes, no] = [this.#sequence(parent, depth - 1), this.#sequence(parent, depth - 1)];
    const merge = this.#add({ kind: "exclusive-gateway", id: this.#id("merge"), parent });
    this.flows.push(`${id}>${yes.first}?flag`);
    const other = this.flows.push(this.#random.chance(0.3) ? `${id}>${no.first}?not flag` : `${id}>${no.first}`);
    const open = this.flows[other - 1]?.includes("?") ? {} : { defaultFlow: `f${other}` };
    this.elements[index] = { kind: "exclusive-gateway", id, parent, ...open };
    this.flows.push(`${yes.last}>${merge.first}`, `${no.last}>${merge.first}`);
    return { first: id, last: merge.last };
  }

  /** A way out of the scope before its end. */
  #early(parent: string | null): Block {
    const id = this.#id("xor");
    const trigger = this.#random.pick([
      { type: "terminate" as const },
      { type: "error" as const, code: this.#random.pick(["E1", "E2"]) },
      { type: "compensation" as const },
    ]);
    const index = this.elements.length;
    this.#add({ kind: "exclusive-gateway", id, parent });
    const after = this.#script(parent);
    const out = this.#add({ kind: "end-event", id: this.#id("early"), parent, trigger });
    this.flows.push(`${id}>${out.first}?flag`);
    const other = this.flows.push(`${id}>${after.first}`);
    this.elements[index] = { kind: "exclusive-gateway", id, parent, defaultFlow: `f${other}` };
    return { first: id, last: after.last };
  }

  /** A job that is done again while it says so. */
  #repeat(parent: string | null): Block {
    const merge = this.#add({ kind: "exclusive-gateway", id: this.#id("again"), parent });
    const task = this.#add({ ...this.#service(parent), outputs: flagOut } as Element);
    const id = this.#id("xor");
    const index = this.elements.length;
    this.#add({ kind: "exclusive-gateway", id, parent });
    const out = this.#script(parent);
    this.flows.push(`${merge.first}>${task.first}`, `${task.last}>${id}`, `${id}>${merge.first}?flag`);
    const other = this.flows.push(`${id}>${out.first}`);
    this.elements[index] = { kind: "exclusive-gateway", id, parent, defaultFlow: `f${other}` };
    return { first: merge.first, last: out.last };
  }

  #script(parent: string | null): Block {
    const literal = this.#random.pick<Json>([true, false, false]);
    return this.#add({
      kind: "script-task",
      id: this.#id("script"),
      parent,
      assignments: [{ target: "flag", source: { literal } }],
    });
  }

  #service(parent: string | null): Extract<Element, { readonly kind: "service-task" }> {
    const random = this.#random;
    return {
      kind: "service-task",
      id: this.#id("task"),
      parent,
      job: {
        type: random.pick(jobTypes),
        retry: {
          attemptsMax: random.pick([1, 1, 2, 3]),
          backoff: { firstMs: random.pick([0, 500, 3_000]), factor: 2, maxMs: 5_000 },
          exhausted: random.pick(["incident", "incident", "error"] as const),
        },
        ...(random.chance(0.3) ? { queue: random.pick(["light", "standard", "heavy"] as const) } : {}),
        ...(random.chance(0.2) ? { priority: 1 + random.below(5) } : {}),
        ...(random.chance(0.2) ? { timeoutMs: 1_000 + random.below(9_000) } : {}),
        ...(random.chance(0.1) ? { headers: { limitKey: "narrow" } } : {}),
      },
      ...(random.chance(0.4) ? { outputs: flagOut } : {}),
    };
  }

  #activity(parent: string | null, depth: number): Block {
    const random = this.#random;
    const kind = random.weighted([
      [6, "service"],
      [1, "script"],
      [1, "user"],
      [this.#called.length > 0 ? 2 : 0, "call"],
      [depth > 0 ? 1.5 : 0, "sub"],
    ] as const);
    const handler = random.chance(0.2) ? this.#id("handler") : undefined;
    const index = this.elements.length;
    const made = this.#make(kind, parent);
    this.#add(made);
    if (kind === "sub") this.scope(made.id, depth - 1);
    this.elements[index] = {
      ...made,
      ...(random.chance(kind === "service" ? 0.3 : 0.15) ? { loop: this.#loop() } : {}),
      ...(handler === undefined ? {} : { compensation: handler }),
    } as Element;
    if (handler !== undefined) this.#add({ ...this.#service(parent), id: handler, forCompensation: true });
    this.#boundaries(made.id, parent);
    return { first: made.id, last: made.id };
  }

  #make(kind: "service" | "script" | "user" | "call" | "sub", parent: string | null): Element {
    switch (kind) {
      case "service":
        return this.#service(parent);
      case "script":
        return {
          kind: "script-task",
          id: this.#id("script"),
          parent,
          assignments: [{ target: "flag", source: { literal: this.#random.chance(0.5) } }],
        };
      case "user":
        return { kind: "user-task", id: this.#id("user"), parent, title: { literal: "Look" }, sla: rules };
      case "call":
        return {
          kind: "call-activity",
          id: this.#id("call"),
          parent,
          process: this.#random.chance(0.05) ? "nowhere" : this.#random.pick(this.#called),
          binding: this.#random.pick(["deployment", "deployment", "latest", { version: "1.0.0" }] as const),
          inputs: [{ target: "flag", source: { variable: "flag" } }],
        };
      case "sub":
        return { kind: "sub-process", id: this.#id("sub"), parent };
    }
  }

  #boundaries(attachedTo: string, parent: string | null): void {
    const random = this.#random;
    const attach = (element: Element): void => {
      this.#add(element);
      const to = random.chance(0.6)
        ? this.#add({ kind: "end-event", id: this.#id("end"), parent, trigger: { type: "none" } })
        : this.#add(this.#service(parent));
      this.flows.push(`${element.id}>${to.first}`);
    };
    const place = { kind: "boundary-event" as const, parent, attachedTo };
    if (random.chance(0.25)) {
      const code = random.chance(0.5) ? { code: "E1" } : {};
      attach({ ...place, id: this.#id("error"), interrupting: true, trigger: { type: "error", ...code } });
    }
    if (random.chance(0.15)) {
      const trigger = { type: "message" as const, message: this.#message() };
      attach({ ...place, id: this.#id("told"), interrupting: random.chance(0.5), trigger, outputs: flagOut });
    }
    if (random.chance(0.2)) {
      const interrupting = random.chance(0.6);
      const cycle = { kind: "cycle" as const, value: { literal: random.pick(["R3/PT2S", "R2/PT7S"]) } };
      const timer = interrupting ? lasting(1 + random.below(15)) : cycle;
      attach({ ...place, id: this.#id("late"), interrupting, trigger: { type: "timer", timer } });
    }
  }

  #loop(): MultiInstance {
    const random = this.#random;
    const mode = random.pick(["sequential", "parallel", "graph", "graph"] as const);
    return {
      mode,
      collection: { literal: randomItems(random, mode === "graph" ? 4 : 3) },
      item: "item",
      ...(random.chance(0.4) ? { maxParallel: { literal: 1 + random.below(2) } } : {}),
      ...(random.chance(0.5) ? { onFailure: random.pick(["fail", "continue", "skip-dependents"] as const) } : {}),
      ...(random.chance(0.2) ? { attempts: 2 } : {}),
    };
  }
}

/** Items of a graph: each may depend on those before it. */
export function randomItems(random: Random, countMax: number, prefix = "k"): Json[] {
  return Array.from({ length: random.below(countMax + 1) }, (_, index): Json => {
    const before = Array.from({ length: index }, (_unused, other) => `${prefix}${other}`);
    return {
      id: `${prefix}${index}`,
      dependsOn: before
        .filter(() => random.chance(0.4))
        .map((key): Json => (random.chance(0.7) ? key : { key, policy: random.pick(["all-done", "any-success"]) })),
      locks: ["a", "b"].filter(() => random.chance(0.3)),
      ...(random.chance(0.2) ? { priority: 1 + random.below(5) } : {}),
      ...(random.chance(0.2) ? { onFailure: random.pick(["fail", "continue", "skip-dependents"]) } : {}),
    };
  });
}

interface Growth {
  readonly called?: readonly string[];
  readonly version?: string;
}

function grow(random: Random, id: string, { called = [], version = "1.0.0" }: Growth = {}): ProgramDocument {
  const grower = new Grower(random, called);
  grower.scope(null, id === "main" ? 2 : 1);
  if (id !== "main" && random.chance(0.6)) grower.beginning();
  if (random.chance(0.25)) grower.tangle();
  return program({
    id,
    version,
    variables: [
      { name: "flag", type: "boolean", initial: random.chance(0.5) },
      // What a message, a signal or a schedule starts has it never.
      ...(id !== "main" && random.chance(0.1) ? [{ name: "must", type: "any", required: true } as const] : []),
    ],
    outputs: ["flag"],
    elements: grower.elements,
    flows: grower.flows,
    onError: random.pick(["fail", "compensate"] as const),
  });
}

/** A deployment of three processes that call each other downwards, `main` → `child` → `leaf`, the last in two versions. */
export function blockWorld(seed: number): World {
  const random = new Random(seed);
  const leaf = grow(random, "leaf");
  const child = grow(random, "child", { called: ["leaf"] });
  const main = grow(random, "main", { called: ["child", "leaf"] });
  const documents = [leaf, child, main, grow(random, "leaf", { version: "2.0.0" })];
  return { documents, host: testHost, correlationKeys };
}
