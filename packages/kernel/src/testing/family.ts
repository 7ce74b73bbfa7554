import type { Effect } from "../effect.ts";
import type { Program } from "../load.ts";
import { must } from "../problem.ts";
import { isEnded } from "../state/state.ts";
import { Driver, type Said } from "./driver.ts";

/** An instance and all that it calls: what one asks of another is sent at once, as an engine would. */
export class Family {
  readonly #programs: ReadonlyMap<string, Program>;
  readonly #members: Map<string, Driver> = new Map();
  /** How many effects of each were performed. */
  readonly #performed: Map<string, number> = new Map();

  constructor(programs: readonly Program[]) {
    this.#programs = new Map(programs.map((program) => [program.document.id, program]));
  }

  /** Starts an instance of the first process that nobody calls. */
  create(process: string): this {
    this.#start(process, { type: "create-instance", instanceId: "i", rootId: "i", variables: {} });
    return this.#settle();
  }

  #start(process: string, command: Extract<Said, { readonly type: "create-instance" }>): void {
    const driver = new Driver(must(this.#programs.get(process), `there is no process '${process}'`));
    this.#members.set(command.instanceId, driver);
    driver.send(command);
  }

  member(instanceId: string): Driver {
    return must(this.#members.get(instanceId), `there is no instance '${instanceId}'`);
  }

  /** Instance ids, in the order in which they were made. */
  get members(): string[] {
    return [...this.#members.keys()];
  }

  /** Open jobs as `instance:element`, the oldest instance first. */
  get jobs(): string[] {
    return [...this.#members].flatMap(([id, { state }]) =>
      [...state.jobs.values()].filter(({ parked }) => !parked).map(({ element }) => `${id}:${element}`),
    );
  }

  /** Does something with one of them, and what follows from it with the others. */
  act(instanceId: string, does: (member: Driver) => void): this {
    does(this.member(instanceId));
    return this.#settle();
  }

  /** Completes an open job, named as `jobs` does. */
  complete(job: string): this {
    const [instanceId = "", element = ""] = job.split(":");
    return this.act(instanceId, (member) => member.complete(element));
  }

  #settle(): this {
    for (let busy = true; busy; ) {
      busy = false;
      for (const [id, { effects }] of [...this.#members]) {
        const from = this.#performed.get(id) ?? 0;
        this.#performed.set(id, effects.length);
        for (const effect of effects.slice(from)) this.#perform(id, effect);
        busy ||= effects.length > from;
      }
    }
    return this;
  }

  #perform(from: string, effect: Effect): void {
    switch (effect.type) {
      case "start-child": {
        const { childId: instanceId, key, process, variables, undoes } = effect;
        if (this.#members.has(instanceId)) return;
        const parent = { instanceId: from, key };
        const named = { instanceId, rootId: "i", parent, variables };
        this.#start(process, { type: "create-instance", ...named, ...(undoes === undefined ? {} : { undoes }) });
        return;
      }
      case "answer-parent": {
        const { parent, outcome, undoable } = effect;
        const answer = { key: parent.key, childId: from, outcome, ...(undoable === undefined ? {} : { undoable }) };
        this.#tell(parent.instanceId, { type: "end-child", ...answer });
        return;
      }
      case "escalate-parent": {
        const { parent, number, code, payload } = effect;
        const told = { key: parent.key, childId: from, number, code, payload };
        this.#tell(parent.instanceId, { type: "escalate-call", ...told });
        return;
      }
      case "cancel-child":
        this.#tell(effect.childId, {
          ...{ type: "cancel-instance", reason: effect.reason },
          ...(effect.undo ? { undo: effect.undo } : {}),
        });
        return;
      case "continue":
        this.#tell(from, { type: "continue" });
        return;
      default:
        return;
    }
  }

  #tell(instanceId: string, said: Said): void {
    const member = this.#members.get(instanceId);
    if (member !== undefined && !isEnded(member.state)) member.try(said);
  }
}
