import { evolve, newState, type Program, type ProgramDocument, type State, snapshotState } from "@tutti/kernel";
import type { SharedLog } from "../embedded/shared-log.ts";
import type { StoredInstance } from "../embedded/store.ts";
import { rebuild } from "../embedded/turn/instances.ts";
import { instanceNotFound } from "../embedded/turn/scope.ts";
import { type Programs, programNotFound } from "../embedded/version/programs.ts";
import { movedAway } from "../moving.ts";
import type { Recalled } from "./contract.ts";

/** How instances stand, as the log has it. */
export class Standings {
  readonly #log: SharedLog;
  readonly #programs: Programs;

  constructor(log: SharedLog, programs: Programs) {
    this.#log = log;
    this.#programs = programs;
  }

  /** Rejects with AppError `instance-not-found`. */
  async of(instanceId: string): Promise<{ readonly program: Program; readonly state: State }> {
    const stored = await this.stored(instanceId);
    return { program: await this.program(stored.record.hash), state: rebuild(stored) };
  }

  /** Rejects with AppError `instance-not-found`. */
  async stored(instanceId: string): Promise<StoredInstance> {
    const { instances } = await this.#log.find({ instanceIds: [instanceId], numbers: [], requestIds: [] });
    const stored = instances[0];
    if (stored === undefined) throw instanceNotFound(instanceId);
    if (stored.record.status === "moved") throw movedAway(instanceId);
    return stored;
  }

  /** Ready to run, and among the programs that are loaded from then on. */
  async program(hash: string): Promise<Program> {
    return this.#programs.loaded(hash) ?? this.#programs.load(await this.document(hash));
  }

  async document(hash: string): Promise<ProgramDocument> {
    const document = await this.#log.program(hash);
    if (document === undefined) throw programNotFound(hash, undefined);
    return document;
  }

  /** Parted after event number `after`. */
  async recall(instanceId: string, after: number): Promise<Recalled> {
    const { rows } = await this.stored(instanceId);
    const state = newState();
    for (const row of rows) {
      if (row.sequence <= after) for (const event of row.events) evolve(state, event);
    }
    const later = rows.filter(({ sequence }) => sequence > after);
    const told = later.map(({ sequence, at, events, cause = 0 }) => ({ sequence, at, events, cause }));
    return { state: snapshotState(state), rows: told };
  }
}
