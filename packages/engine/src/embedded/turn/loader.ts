import { AppError } from "@tutti/kernel";
import { movedAway } from "../../moving.ts";
import type { Found, InstanceNumber, InstanceRecord, Store, StoredInstance } from "../store.ts";
import type { Programs } from "../version/programs.ts";
import { type Instances, revive } from "./instances.ts";
import type { Wants } from "./scope.ts";

export interface LoaderOptions {
  readonly store: Pick<Store, "find" | "program">;
  readonly instances: Instances;
  readonly programs: Programs;
  /** Request ids that are found to be used → their instances. */
  readonly requests: Map<string, string>;
  /** Instances that are found to have moved to another engine. */
  readonly moved: Map<string, StoredInstance>;
  readonly isQuarantined: (instance: InstanceNumber) => boolean;
  readonly quarantine: (record: InstanceRecord, error: unknown) => void;
  readonly error: (message: string, data: { readonly [name: string]: unknown }) => void;
}

/** Brings into memory what a turn needs. What cannot be read is named, and holds up nothing else. */
export class Loader {
  readonly #options: LoaderOptions;
  /** Instances that could not be read for this turn, and why. */
  readonly #unreadable: Map<string | InstanceNumber, Error> = new Map();

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /** A new turn: what could not be read is tried again. */
  begin(): void {
    this.#unreadable.clear();
    this.#options.requests.clear();
    this.#options.moved.clear();
  }

  get allReadable(): boolean {
    return this.#unreadable.size === 0;
  }

  unreadable(instance: string | InstanceNumber): Error | undefined {
    return this.#unreadable.get(instance);
  }

  async load(wants: Wants): Promise<void> {
    const { instanceIds, numbers, requestIds, hashes } = wants;
    if (instanceIds.size + numbers.size + requestIds.length > 0) {
      const found = await this.#find(wants);
      for (const [requestId, instanceId] of found.requests) this.#options.requests.set(requestId, instanceId);
      for (const stored of found.instances) hashes.add(stored.record.hash);
      await this.#loadPrograms(hashes);
      for (const stored of found.instances) this.#revive(stored);
    } else if (hashes.size > 0) {
      await this.#loadPrograms(hashes);
    }
  }

  async #find(wants: Wants): Promise<Found> {
    const { requestIds } = wants;
    const instanceIds = [...wants.instanceIds];
    const numbers = [...wants.numbers];
    const { store } = this.#options;
    try {
      return await store.find({ instanceIds, numbers, requestIds });
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "storage-failed") throw error;
    }
    // One of them does not read back. Asked for one by one, the others still do.
    const instances: StoredInstance[] = [];
    const none = { instanceIds: [], numbers: [], requestIds: [] };
    for (const instanceId of instanceIds) {
      await this.#findOne(instanceId, store.find({ ...none, instanceIds: [instanceId] }), instances);
    }
    for (const number of numbers) await this.#findOne(number, store.find({ ...none, numbers: [number] }), instances);
    return { instances, requests: (await store.find({ ...none, requestIds })).requests };
  }

  async #findOne(name: string | InstanceNumber, finding: Promise<Found>, into: StoredInstance[]): Promise<void> {
    try {
      into.push(...(await finding).instances);
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "storage-failed") throw error;
      this.#options.error("an instance cannot be read", { instance: name, reason: error.message });
      this.#unreadable.set(name, error);
    }
  }

  async #loadPrograms(hashes: ReadonlySet<string>): Promise<void> {
    const { programs, store } = this.#options;
    for (const hash of hashes) {
      if (programs.loaded(hash) !== undefined) continue;
      const document = await store.program(hash);
      if (document !== undefined) programs.load(document);
    }
  }

  #revive(stored: StoredInstance): void {
    const { instances, programs, moved, isQuarantined, quarantine } = this.#options;
    const { number, instanceId, hash, status } = stored.record;
    if (instances.number(number) !== undefined || isQuarantined(number)) return;
    if (status === "moved") {
      const error = movedAway(instanceId);
      this.#unreadable.set(number, error).set(instanceId, error);
      moved.set(instanceId, stored);
      return;
    }
    const program = programs.loaded(hash);
    if (program === undefined) {
      const error = new AppError(
        "database-damaged",
        `Expected the program ${hash} of '${instanceId}', but it is not there.`,
      );
      this.#unreadable.set(number, error).set(instanceId, error);
      return;
    }
    try {
      instances.add(revive(stored, program));
    } catch (error) {
      quarantine(stored.record, error);
    }
  }
}
