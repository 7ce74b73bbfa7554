import type { Json } from "../json.ts";
import type { Element, Flow, ItemEvent, MultiInstance, ProgramDocument, StandardLoop, StartEvent } from "../program.ts";
import {
  adHoc,
  and,
  boundary,
  call,
  catching,
  complex,
  document,
  end,
  eventGateway,
  expr,
  flows,
  literal,
  loop,
  map,
  message,
  onError,
  onTimer,
  or,
  raise,
  receive,
  retry,
  script,
  sendTask,
  service,
  start,
  sub,
  timer,
  undo,
  user,
  variable,
  xor,
} from "./build.ts";
import type { Random } from "./random.ts";
import {
  randomCode,
  randomCycle,
  randomEnd,
  randomOnce,
  randomSeveral,
  randomSla,
  randomSource,
  randomThrow,
  randomType,
  randomWait,
} from "./random-trigger.ts";

const gateways = {
  and,
  xor,
  or,
  /** Activated by the first, by all, or by a condition that sometimes fails. */
  complex: (id: string, fallback?: string) => complex(id, conditions[id.length % conditions.length] ?? "", fallback),
};
const conditions = ["arrived >= 1", "arrived == expected", "n < 3", "arrived > missing"];

interface Block {
  readonly first: string;
  readonly last: string;
}

/** Grows a program block by block; `elements` of inner scopes carry their parent already. */
class Grower {
  readonly #random: Random;
  readonly elements: Element[] = [];
  readonly lines: string[] = [];
  #count: number = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  #id(kind: string): string {
    this.#count += 1;
    return `${kind}${this.#count}`;
  }

  #add(element: Element, parent: string | null): Block {
    this.elements.push({ ...element, parent });
    return { first: element.id, last: element.id };
  }

  /** A scope from its start event to its end event; now and then without a start event, or with what events start. */
  scope(parent: string | null, depth: number, first: Element = start(this.#id("start"))): void {
    if (this.#random.chance(0.15)) this.#handling(parent, depth);
    if (parent === null && this.#random.chance(0.3)) this.#beginnings();
    if (first.kind === "start-event" && first.trigger.type === "none" && this.#random.chance(0.05)) {
      const id = this.#id("first");
      const many = service(id, { startQuantity: 2 });
      const task = this.#add(this.#random.pick([service(id), many, or(id), complex(id, "missing > n")]), parent);
      this.lines.push(`${task.last}>${this.#sequence(parent, depth).first}`);
      return;
    }
    const from = this.#add(first, parent);
    const content = this.#sequence(parent, depth);
    const to = this.#add(end(this.#id("end"), randomEnd(this.#random)), parent);
    this.lines.push(`${from.last}>${content.first}`, `${content.last}>${to.first}`);
  }

  /** Events that start the process: by themselves, and after a gateway. */
  #beginnings(): void {
    const random = this.#random;
    const to = this.#add(service(this.#id("task")), null);
    const trigger = random.chance(0.5) ? randomWait(random) : randomSeveral(random);
    const from = this.#add({ ...start(this.#id("begin"), trigger), outputs: map({ n: "n" }) }, null);
    this.lines.push(`${from.last}>${to.first}`);
    if (random.chance(0.5)) return;
    const gateway = this.#add(eventGateway(this.#id("begin"), random.pick(["exclusive", "parallel"] as const)), null);
    for (let left = 1 + random.below(3); left > 0; left -= 1) {
      const event = this.#add(catching(this.#id("catch"), randomWait(random)), null);
      this.lines.push(`${gateway.last}>${event.first}>${to.first}`);
    }
  }

  #link(parent: string | null): Block {
    const trigger = { type: "link" as const, name: this.#id("link") };
    const from = this.#add(raise(this.#id("throw"), trigger), parent);
    return { first: from.first, last: this.#add(catching(this.#id("catch"), trigger), parent).last };
  }

  /** An event sub-process beside the content of a scope. */
  #handling(parent: string | null, depth: number): void {
    const random = this.#random;
    const id = this.#id("handling");
    const code = random.chance(0.5) ? { code: "E1" } : {};
    const trigger = random.oneOf<StartEvent["trigger"]>([
      [3, () => randomWait(this.#random)],
      [1, () => ({ type: "timer", timer: randomOnce(this.#random) })],
      [2, () => ({ type: "error", ...code })],
      [2, () => ({ type: "escalation", ...code })],
      [parent === null ? 0.5 : 2, () => ({ type: "compensation" })],
      [1, () => randomSeveral(this.#random)],
    ]);
    const outputs = random.chance(0.3) ? { outputs: map({ n: "n" }) } : {};
    const interrupting = trigger.type === "error" || trigger.type === "compensation" || random.chance(0.5);
    const [element] = sub(id, [], { triggeredByEvent: true });
    this.#add(element as Element, parent);
    this.scope(id, depth - 2, { ...start(this.#id("start"), trigger), interrupting, ...outputs });
  }

  #choice(parent: string | null, depth: number): Block {
    const from = this.#id("choice");
    const to = this.#id("xor");
    this.#add(eventGateway(from), parent);
    this.#add(xor(to), parent);
    for (let left = 1 + this.#random.below(3); left > 0; left -= 1) {
      const event = this.#random.oneOf<Element>([
        [2, () => catching(this.#id("catch"), randomWait(this.#random))],
        [1, () => catching(this.#id("catch"), randomSeveral(this.#random))],
        [1, () => catching(this.#id("wait"), { type: "timer", timer: randomOnce(this.#random) })],
        [1, () => receive(this.#id("receive"), "news", { outputs: map({ n: "n" }) })],
      ]);
      this.#add(event, parent);
      const branch = this.#sequence(parent, depth - 1);
      this.lines.push(`${from}>${event.id}>${branch.first}`, `${branch.last}>${to}`);
    }
    return { first: from, last: to };
  }

  /** A sub-process that may be cancelled from within. */
  #transaction(depth: number, options: object): Element {
    const id = this.#id("deal");
    const [element] = sub(id, [], { inputs: map({ n: "n" }), transaction: true, ...options });
    this.scope(id, depth - 1);
    const split = this.#add(and(this.#id("and")), id);
    const cancelled = this.#add(end(this.#id("cancel"), { type: "cancel" }), id);
    const before = this.#add(service(this.#id("task")), id);
    const first = this.elements.find(({ parent, kind }) => parent === id && kind === "start-event");
    if (first !== undefined) this.lines.push(`${first.id}>${split.first}>${before.first}>${cancelled.first}`);
    return element as Element;
  }

  #sequence(parent: string | null, depth: number): Block {
    const blocks = Array.from({ length: 1 + this.#random.below(3) }, () => this.#block(parent, depth));
    for (const [index, block] of blocks.slice(0, -1).entries())
      this.lines.push(`${block.last}>${blocks[index + 1]?.first}`);
    return { first: blocks[0]?.first ?? "", last: blocks.at(-1)?.last ?? "" };
  }

  #block(parent: string | null, depth: number): Block {
    const random = this.#random;
    const deep = depth <= 0 ? 0 : 1;
    return random.oneOf<Block>([
      [5, () => this.#activity(parent, depth)],
      [1, () => this.#add(catching(this.#id("wait"), { type: "timer", timer: randomOnce(random) }), parent)],
      [1, () => this.#add(undo(this.#id("undo")), parent)],
      [0.5, () => this.#add(raise(this.#id("undo"), { type: "compensation", waits: false }), parent)],
      [1, () => this.#add(catching(this.#id("catch"), randomWait(this.#random)), parent)],
      [0.5, () => this.#add(catching(this.#id("catch"), randomSeveral(this.#random)), parent)],
      [1, () => this.#throwing(parent)],
      [0.3, () => this.#link(parent)],
      [deep, () => this.#choice(parent, depth)],
      [deep * 1.5, () => this.#split(parent, depth, "and")],
      [deep * 1.5, () => this.#split(parent, depth, "xor")],
      [deep * 1.5, () => this.#split(parent, depth, "or")],
      [deep, () => this.#split(parent, depth, "complex")],
      [0.3, () => this.#early(parent)],
    ]);
  }

  #condition(): string {
    return this.#random.pick([": n % 2 == 0", ": n % 2 == 0", ": n % 2 == 0", ": maybe n > missing", ": maybe n == 1"]);
  }

  #split(parent: string | null, depth: number, kind: keyof typeof gateways): Block {
    const from = this.#id(kind);
    const to = this.#id(kind);
    const branches = Array.from({ length: 2 + this.#random.below(2) }, () => this.#sequence(parent, depth - 1));
    const fallback = this.#random.chance(0.9) ? `${from}>${branches[0]?.first}` : undefined;
    this.#add(gateways[kind](from, fallback), parent);
    this.#add(gateways[kind](to), parent);
    for (const branch of branches) {
      const condition = kind !== "and" && this.#random.chance(0.8) ? this.#condition() : "";
      this.lines.push(`${from}>${branch.first}${condition}`, `${branch.last}>${to}`);
    }
    return { first: from, last: to };
  }

  /** A way out of the scope before its end, behind a choice. */
  #early(parent: string | null): Block {
    const out = this.#id("early");
    const gate = this.#id("xor");
    const trigger = this.#random.pick([
      { type: "terminate" as const },
      { type: "error" as const, ...randomCode(this.#random) },
      { type: "compensation" as const },
    ]);
    this.#add(end(out, trigger), parent);
    const after = this.#add(script(this.#id("script"), { n: "n + 1" }), parent);
    this.#add(xor(gate, `${gate}>${after.first}`), parent);
    this.lines.push(`${gate}>${out}: n % 3 == 1`, `${gate}>${after.first}`);
    return { first: gate, last: after.last };
  }

  #activity(parent: string | null, depth: number): Block {
    const random = this.#random;
    const { options, bare } = this.#options();
    const made = random.oneOf<Element>([
      [5, () => this.#service(options)],
      [
        1,
        () =>
          script(
            this.#id("script"),
            { n: random.pick(["n + 1", "n + 1", "n + 1", "maybe n + 1", "maybe missing", "missing"]) },
            options,
          ),
      ],
      [0.3, () => ({ id: this.#id("manual"), kind: "manual-task", parent: null, ...options })],
      [0.5, () => this.#rule(options)],
      [1, () => this.#user(options)],
      [0.7, () => receive(this.#id("receive"), "news", { outputs: map({ n: "n" }), ...options })],
      [
        0.5,
        () => sendTask(this.#id("send"), { message: message("news", random.chance(0.9) ? "n" : "flag"), ...options }),
      ],
      [1, () => this.#call(options)],
      [depth > 0 ? 2 : 0, () => this.#sub(depth, options)],
      [depth > 0 ? 0.7 : 0, () => this.#transaction(depth, options)],
      [depth > 0 ? 1 : 0, () => this.#adHoc(depth, options)],
    ]);
    const block = this.#add(made, parent);
    if (!bare) this.#handler(made.id, parent);
    this.#boundaries(made.id, parent);
    if (random.chance(0.1)) this.#wayOut(made.id, parent);
    return block;
  }

  /** A flow out of an activity that is taken only now and then, beside the one that always is. */
  #wayOut(from: string, parent: string | null): void {
    const to = this.#add(service(this.#id("task")), parent);
    this.lines.push(`${from}>${to.first}: n % 2 == 1`);
  }

  #options(): {
    readonly options: { loop?: MultiInstance | StandardLoop; compensation?: string };
    readonly bare: boolean;
  } {
    const random = this.#random;
    const looped = random.chance(0.35) ? { loop: random.chance(0.2) ? this.#rounds() : this.#loop() } : {};
    if (random.chance(0.05)) Object.assign(looped, { startQuantity: 2 });
    if (random.chance(0.1)) Object.assign(looped, { completionQuantity: 2 });
    const bare = this.#random.chance(0.6);
    return { options: bare ? looped : { ...looped, compensation: this.#id("handler") }, bare };
  }

  #call(options: object): Element {
    const id = this.#id("call");
    const from = this.#random.chance(0.2) ? { processFrom: randomSource(this.#random, id) } : {};
    return call(id, { inputs: map({ n: "n" }), ...from, ...options });
  }

  #rule(options: object): Element {
    const text = this.#random.pick(["n * 2", "n == 1", "missing"]);
    const decision = { result: "n", expression: { language: "dmn" as const, text } };
    return { id: this.#id("rule"), kind: "business-rule-task", parent: null, decision, ...options };
  }

  #service(options: object): Element {
    const id = this.#id("task");
    const { next, pick } = { next: this.#random.chance(0.3), pick: this.#random.pick([1, 2, 3]) };
    return service(id, {
      policy: { ...randomType(this.#random, id), retry: retry(pick, this.#random.pick(["incident", "error"])) },
      inputs: map({ n: "n" }),
      ...(next ? { outputs: [{ target: "n", source: variable("n") }] } : {}),
      ...options,
    });
  }

  #user(options: object): Element {
    const random = this.#random;
    const sla = Array.from({ length: random.below(3) }, () => randomSla(random));
    const late = random.pick(["accept", "refuse", "flag"] as const);
    return user(this.#id("user"), { sla, late, due: timer("duration", "PT5S"), priority: expr("n"), ...options });
  }

  #sub(depth: number, options: object): Element {
    const id = this.#id("sub");
    const [element] = sub(id, [], { inputs: map({ n: "n" }), ...options });
    this.scope(id, depth - 1);
    return element as Element;
  }

  /** Some blocks beside each other, of which somebody chooses. */
  #adHoc(depth: number, options: object): Element {
    const random = this.#random;
    const id = this.#id("adhoc");
    const blocks = Array.from({ length: 1 + random.below(3) }, () => this.#sequence(id, depth - 1));
    const firsts = blocks.map(({ first }) => first);
    const wanted = Array.from({ length: random.below(4) }, () => random.pick(random.chance(0.9) ? firsts : ["nobody"]));
    const [element] = adHoc(id, [], {
      ordering: random.pick(["parallel", "sequential"] as const),
      cancelRemaining: random.chance(0.5),
      inputs: map({ n: "n" }),
      ...(random.chance(0.5) ? { activate: literal(wanted) } : {}),
      ...(random.chance(0.5)
        ? { job: { ...randomType(random, "choose"), retry: retry(2, random.pick(["incident", "error"])) } }
        : {}),
      ...(random.chance(0.5) ? { completion: expr(random.pick(["completed > 1", "n > 2", "active > missing"])) } : {}),
      ...(random.chance(0.5) ? { output: { target: random.pick(["found", "flag"]), source: expr("n") } } : {}),
      ...options,
    });
    return element as Element;
  }

  #handler(of: string, parent: string | null): void {
    const owner = this.elements.find((element) => element.id === of);
    if (owner === undefined || !("compensation" in owner) || owner.compensation === undefined) return;
    const handler = this.#random.oneOf<Element>([
      [2, () => service(owner.compensation as string, { policy: { retry: retry(2) }, forCompensation: true })],
      [1, () => script(owner.compensation as string, { n: "n - 1" }, { forCompensation: true })],
      [0.5, () => script(owner.compensation as string, { n: "missing" }, { forCompensation: true })],
      [0.5, () => this.#handlerScope(owner.compensation as string)],
    ]);
    this.#add(handler, parent);
  }

  #handlerScope(id: string): Element {
    this.scope(id, 0);
    return sub(id, [], { forCompensation: true })[0] as Element;
  }

  #boundaries(of: string, parent: string | null): void {
    const random = this.#random;
    const attach = (element: Element): void => {
      this.#add(element, parent);
      const to = random.chance(0.5)
        ? this.#add(end(this.#id("end"), randomEnd(random)), parent)
        : this.#add(service(this.#id("task")), parent);
      this.lines.push(`${element.id}>${to.first}`);
    };
    if (random.chance(0.25)) {
      const outputs = random.chance(0.3) ? { outputs: map({ caught: "error.code" }) } : {};
      const code = random.chance(0.5) ? { code: "E1" } : {};
      attach(onError(this.#id("error"), of, { ...code, ...outputs }));
    }
    const host = this.elements.find((element) => element.id === of);
    if (host?.kind === "sub-process" && host.transaction && random.chance(0.7)) {
      attach(boundary(this.#id("cancelled"), of, { trigger: { type: "cancel" } }));
    }
    if (random.chance(0.1)) {
      attach(
        boundary(this.#id("several"), of, { trigger: randomSeveral(this.#random), interrupting: random.chance(0.5) }),
      );
    }
    if (random.chance(0.15)) {
      const outputs = random.chance(0.3) ? { outputs: map({ n: "n" }) } : {};
      attach(
        boundary(this.#id("event"), of, {
          trigger: randomWait(this.#random),
          interrupting: random.chance(0.5),
          ...outputs,
        }),
      );
    }
    if (random.chance(0.15)) {
      const code = random.chance(0.5) ? { code: "E1" } : {};
      const trigger = { type: "escalation" as const, ...code };
      attach(boundary(this.#id("escalation"), of, { trigger, interrupting: random.chance(0.5) }));
    }
    if (random.chance(0.2)) {
      const interrupting = random.chance(0.5);
      const timer = interrupting || random.chance(0.1) ? randomOnce(random) : randomCycle(random);
      attach(onTimer(this.#id("timer"), of, { timer, interrupting }));
    }
  }

  #throwing(parent: string | null): Block {
    return this.#add(raise(this.#id("throw"), randomThrow(this.#random)), parent);
  }

  #behavior(): Partial<MultiInstance> {
    const random = this.#random;
    const event: ItemEvent = random.pick([
      { type: "escalation" as const, ...randomCode(random) },
      { type: "signal" as const, signal: { name: random.pick([literal("news"), variable("missing")]) } },
    ]);
    const events = [{ condition: expr(random.pick(["completed > 1", "n > 2", "completed > missing"])), event }];
    return { behavior: random.pick(["none", "one", "complex"] as const), event, events };
  }

  #rounds(): StandardLoop {
    const random = this.#random;
    const condition = expr(random.pick(["n < 3", "loopCounter < 3", "loopCounter < missing", "true"]));
    const maximum = random.chance(0.9) ? { maximum: random.below(4) } : {};
    return { mode: "standard", condition, testBefore: random.chance(0.5), ...maximum };
  }

  #loop(): MultiInstance {
    const random = this.#random;
    const mode = random.pick(["sequential", "parallel", "graph", "graph"] as const);
    return loop(mode, {
      collection: literal(randomItems(random, mode === "graph" ? 6 : 4)),
      ...(random.chance(0.4) ? { maxParallel: literal(1 + random.below(3)) } : {}),
      ...(random.chance(0.5) ? { onFailure: random.pick(["fail", "continue", "skip-dependents"] as const) } : {}),
      ...(random.chance(0.2) ? { attempts: 2 } : {}),
      ...(random.chance(0.15) ? { completion: expr(random.pick(["completed >= 2", "failed > missing"])) } : {}),
      ...(random.chance(0.2) ? { accept: expr("completed >= failed") } : {}),
      ...(random.chance(0.3) ? this.#behavior() : {}),
      ...(random.chance(0.4)
        ? { output: { target: random.pick(["collected", "flag"]), source: expr("loop.key") } }
        : {}),
    });
  }
}

export function randomItems(random: Random, itemsMax: number, prefix = "k"): Json[] {
  const count = random.below(itemsMax + 1);
  return Array.from({ length: count }, (_, index): Json => {
    const before = Array.from({ length: index }, (_, other) => `${prefix}${other}`).filter(() => random.chance(0.35));
    const policies = ["all-success", "all-done", "any-success"];
    return {
      id: `${prefix}${index}`,
      dependsOn: before.map((key): Json => (random.chance(0.6) ? key : { key, policy: random.pick(policies) })),
      locks: ["a", "b", "c"].filter(() => random.chance(0.25)),
      ...(random.chance(0.2) ? { priority: 1 + random.below(5) } : {}),
      ...(random.chance(0.2) ? { attempts: 2 } : {}),
      ...(random.chance(0.2) ? { onFailure: random.pick(["fail", "continue", "skip-dependents"]) } : {}),
    };
  });
}

/** Flows that no modeller would draw: backwards, across branches, twice into a join. */
function tangle(random: Random, elements: readonly Element[]): Flow[] {
  const extra: Flow[] = [];
  const handlers = new Set(
    elements.filter((each) => "forCompensation" in each || "triggeredByEvent" in each).map(({ id }) => id),
  );
  // With many there is little left of the blocks: any graph at all.
  for (let left = random.pick([1, 2, 3, 8, 16]); left > 0; left -= 1) {
    const from = random.pick(elements);
    const sources = elements.filter(({ parent, kind, id }) => {
      const begins = kind === "start-event" || kind === "boundary-event" || /^(?:first|begin)/.test(id);
      return parent === from.parent && !begins && !handlers.has(id);
    });
    if (handlers.has(from.id) || from.kind === "event-based-gateway" || sources.length === 0) continue;
    const to = random.pick(sources);
    extra.push({ id: `extra${left}`, from: from.id, to: to.id });
  }
  return extra;
}

/** A program of nested blocks; with `tangled`, some flows more, so that it is sound no longer. */
export function randomProgram(random: Random, tangled: boolean): ProgramDocument {
  const grower = new Grower(random);
  grower.scope(null, 2);
  const { elements, lines } = grower;
  return document(elements, [], {
    flows: [...flows(...lines), ...(tangled ? tangle(random, elements) : [])],
    variables: [
      { name: "n", type: "integer", initial: 0 },
      { name: "flag", type: "boolean" },
    ],
    outputs: ["n"],
    onError: random.pick(["fail", "compensate"] as const),
  });
}
