import type { ProgramDocument, SourcePosition } from "@tutti/kernel";
import { compileNative } from "./form/native.ts";
import { lint } from "./lint/lint.ts";
import { type Problem, Problems } from "./problem.ts";
import type { NativeProcess, NativeRoute, NativeStep, NativeThrow, NativeUser } from "./schema/native.ts";
import { processSchema } from "./schema/native.ts";
import type { NativeCatch, NativeEmit, NativeStart, NativeWait } from "./schema/native-event.ts";
import type { NativeTimer, NativeVariable } from "./schema/native-part.ts";
import { reportIssues } from "./schema-problem.ts";

export interface BuiltProgram {
  /** Absent when a problem is an error. */
  readonly program?: ProgramDocument;
  readonly problems: readonly Problem[];
}

type StepOptions<K extends keyof NativeStep> = Omit<NativeStep, K | "then" | "on">;
type Branch = (branch: StepsBuilder) => StepsBuilder;
type UponOptions = Pick<NativeStep, "name" | "doc" | "interrupting" | "out"> & { readonly upon: NativeCatch };
type BoundaryOptions = { readonly interrupting?: boolean };

/**
 * Steps one after another. A new step follows the open ends: the step before it, or the branches of a join. After
 * `choose`, `then` and `end` there are none; go on with the step that something else leads to.
 */
export class StepsBuilder {
  protected readonly steps: Record<string, NativeStep> = {};
  protected readonly duplicates: string[] = [];
  #open: string[] = [];
  #last: string | undefined;
  #first: string | undefined;

  /** A service task. */
  service(id: string, options: StepOptions<"job"> & { readonly job: string }): this {
    return this.#add(id, options);
  }

  script(id: string, script: NonNullable<NativeStep["script"]>, options: StepOptions<"script"> = {}): this {
    return this.#add(id, { ...options, script });
  }

  user(id: string, user: string | NativeUser, options: StepOptions<"user"> = {}): this {
    return this.#add(id, { ...options, user });
  }

  call(id: string, process: string, options: StepOptions<"call"> = {}): this {
    return this.#add(id, { ...options, call: process });
  }

  /** A manual task: somebody does it outside. */
  manual(id: string, options: StepOptions<"manual"> = {}): this {
    return this.#add(id, { ...options, manual: true });
  }

  /** A business-rule task: made by a worker, or a value that is computed. */
  decide(id: string, decide: NonNullable<NativeStep["decide"]>, options: StepOptions<"decide"> = {}): this {
    return this.#add(id, { ...options, decide });
  }

  /** A receive task. */
  receive(id: string, receive: NonNullable<NativeStep["receive"]>, options: StepOptions<"receive"> = {}): this {
    return this.#add(id, { ...options, receive });
  }

  /** A send task. */
  send(id: string, send: NonNullable<NativeStep["send"]>, options: StepOptions<"send"> = {}): this {
    return this.#add(id, { ...options, send });
  }

  /** An ad-hoc sub-process: its steps run as they are chosen, and only `then` connects them. */
  adHoc(
    id: string,
    inside: Branch,
    options: StepOptions<"steps"> & { readonly adhoc: NonNullable<NativeStep["adhoc"]> },
  ): this {
    return this.#add(id, { ...options, steps: inside(new StepsBuilder()).steps });
  }

  /** A sub-process; with `transaction`, one that a cancel end event undoes. */
  sub(id: string, inside: Branch, options: StepOptions<"steps"> = {}): this {
    const inner = inside(new StepsBuilder());
    return this.#add(id, { ...options, steps: inner.finish() });
  }

  /** An intermediate event: a timer, message, signal or condition. */
  wait(id: string, event: string | NativeWait, options: Pick<NativeStep, "out"> = {}): this {
    return this.#add(id, { ...options, wait: event });
  }

  /** Throws a message, signal or escalation, and goes on. */
  emit(id: string, emit: NativeEmit, options: StepOptions<"emit"> = {}): this {
    return this.#add(id, { ...options, emit });
  }

  /** Goes on at the label of that name. */
  goto(id: string, name: string): this {
    this.#add(id, { goto: name });
    this.#open = [];
    return this;
  }

  /** Where a goto goes on. Nothing flows into it: what was open before it ends. */
  label(id: string, name: string): this {
    this.end();
    return this.#add(id, { label: name });
  }

  /** Ends the path with what is thrown, or all of the scope. */
  stop(id: string, end: NonNullable<NativeStep["end"]>): this {
    this.#add(id, { end });
    this.#open = [];
    return this;
  }

  /** An event sub-process: an event starts it, at any time while the scope around it runs. */
  upon(id: string, options: UponOptions, inside: Branch): this {
    this.#put(id, { ...options, steps: inside(new StepsBuilder()).finish() });
    return this;
  }

  pass(id: string): this {
    return this.#add(id, { pass: true });
  }

  /** An intermediate throw that undoes what was completed: everything in the scope, or one step. */
  compensate(id: string, step: true | string = true): this {
    return this.#add(id, { compensate: step });
  }

  /** Ends the path with an error. */
  throw(id: string, thrown: NativeThrow): this {
    this.#add(id, { throw: thrown });
    this.#open = [];
    return this;
  }

  /** An exclusive gateway; its routes name steps. */
  choose(id: string, ...routes: NativeRoute[]): this {
    this.#add(id, { choose: routes });
    this.#open = [];
    return this;
  }

  /** An inclusive gateway: every route whose condition holds. */
  some(id: string, ...routes: NativeRoute[]): this {
    this.#add(id, { some: routes });
    this.#open = [];
    return this;
  }

  /** An event-based gateway: whichever of these waits happens first. */
  race(id: string, ...waits: readonly [string, string, ...string[]]): this {
    this.#add(id, { race: [...waits] });
    this.#open = [];
    return this;
  }

  /** A gateway that waits for what flows in. */
  join(id: string, join: NonNullable<NativeStep["join"]> = true): this {
    return this.#add(id, { join });
  }

  /** Runs the branches at once, between a fork and a join. */
  parallel(fork: string, branches: readonly Branch[], join: string): this {
    const inner = branches.map((branch) => branch(new StepsBuilder()));
    this.#add(fork, { fork: inner.flatMap((branch) => branch.#first ?? []) });
    this.#open = [];
    for (const branch of inner) {
      for (const [id, step] of Object.entries(branch.steps)) this.#put(id, step);
      this.duplicates.push(...branch.duplicates);
      this.#open.push(...branch.#open);
    }
    return this.#add(join, { join: true });
  }

  /** A step that only undoes another, named by that one's `undo`. */
  handler(id: string, step: NativeStep): this {
    this.#put(id, step);
    return this;
  }

  /** Leads the open ends to a step that is named elsewhere. Several targets start at once. */
  then(...targets: readonly [string, ...string[]]): this {
    const then = targets.length === 1 ? targets[0] : [...targets];
    for (const id of this.#open) this.#amend(id, { then });
    this.#open = [];
    return this;
  }

  end(): this {
    return this.then("end");
  }

  /** Goes on from a step that is already there. */
  from(id: string): this {
    this.#open = [id];
    return this;
  }

  /** Boundary error event of the step just added; "*" catches every code. */
  onError(code: string, target: string): this {
    const on = this.#lastStep().on ?? {};
    const before = typeof on.error === "string" ? { "*": on.error } : on.error;
    return this.#amendLast({ on: { ...on, error: { ...before, [code]: target } } });
  }

  /** Boundary timer event of the step just added. */
  onTimer(timer: NativeTimer, target: string, options: BoundaryOptions = {}): this {
    const on = this.#lastStep().on ?? {};
    const before = on.timer === undefined ? [] : Array.isArray(on.timer) ? on.timer : [on.timer];
    return this.#amendLast({ on: { ...on, timer: [...before, { ...timer, then: target, ...options }] } });
  }

  /** Boundary event of any other kind, of the step just added. */
  onEvent(event: NativeCatch, target: string, options: BoundaryOptions & Pick<NativeStep, "out"> = {}): this {
    const on = this.#lastStep().on ?? {};
    const before = on.event === undefined ? [] : Array.isArray(on.event) ? on.event : [on.event];
    return this.#amendLast({ on: { ...on, event: [...before, { ...event, then: target, ...options }] } });
  }

  /** The steps, with what is still open led to the end. */
  protected finish(): Record<string, NativeStep> {
    this.end();
    return this.steps;
  }

  #add(id: string, step: NativeStep): this {
    for (const open of this.#open) this.#amend(open, { then: id });
    this.#put(id, step);
    this.#first ??= id;
    this.#open = [id];
    this.#last = id;
    return this;
  }

  #put(id: string, step: NativeStep): void {
    if (Object.hasOwn(this.steps, id)) this.duplicates.push(id);
    else this.steps[id] = step;
  }

  #amend(id: string, more: NativeStep): void {
    this.steps[id] = { ...this.steps[id], ...more };
  }

  #lastStep(): NativeStep {
    return this.steps[this.#last ?? ""] ?? {};
  }

  #amendLast(more: NativeStep): this {
    if (this.#last !== undefined) this.#amend(this.#last, more);
    return this;
  }
}

/** Builds the same programs as the process form of YAML: the same content has the same hash. */
export class ProcessBuilder extends StepsBuilder {
  readonly #head: Omit<NativeProcess, "steps">;

  constructor(id: string, options: Omit<NativeProcess, "process" | "steps">) {
    super();
    this.#head = { process: id, ...options };
  }

  variables(variables: Record<string, NativeVariable>): this {
    this.#head.variables = { ...this.#head.variables, ...variables };
    return this;
  }

  outputs(...names: string[]): this {
    this.#head.outputs = [...(this.#head.outputs ?? []), ...names];
    return this;
  }

  /** Where the process begins; without it, with the first step. False: only with the events of `startOn`. */
  start(id?: string | false): this {
    if (id !== undefined) this.#head.start = id;
    return this;
  }

  /** An event that begins the process at the step that its `then` names. */
  startOn(id: string, start: NativeStart): this {
    this.#head.starts = { ...this.#head.starts, [id]: start };
    return this;
  }

  /** Never throws for a wrong definition: what is wrong is in `problems`. */
  build(): BuiltProgram {
    const problems = new Problems(`process ${this.#head.process}`);
    const nowhere: SourcePosition = { line: 1, column: 1 };
    for (const id of this.duplicates) {
      problems.error("element-duplicate", `Expected every id once, but ${id} is there twice`, nowhere);
    }
    const value: NativeProcess = { ...this.#head, steps: this.finish() };
    const parsed = processSchema.safeParse(value);
    if (!parsed.success) {
      reportIssues(parsed.error.issues, { value, problems, place: () => nowhere });
      return { problems: problems.list() };
    }
    const compiled = compileNative(parsed.data, problems, () => nowhere);
    lint([compiled]);
    return { ...(problems.errors === 0 && { program: compiled.program }), problems: problems.list() };
  }
}

/** Begins a process: `process("order", { version: "1.0" }).service("charge", { job: "payment.charge" }).end().build()`. */
export function process(id: string, options: Omit<NativeProcess, "process" | "steps"> = {}): ProcessBuilder {
  return new ProcessBuilder(id, options);
}
