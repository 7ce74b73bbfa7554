import type { Host, QueueClass } from "@tutti/kernel";
import type { StoredSchedule } from "../embedded/message/coordination.ts";
import type { News, SharedLog } from "../embedded/shared-log.ts";
import { Programs } from "../embedded/version/programs.ts";

/** Who has to know what was read anew. */
interface DefinitionsTold {
  readonly resize: (queue: QueueClass, slots: number) => void;
  readonly schedule: (all: readonly StoredSchedule[]) => void;
}

/** What is deployed and adjusted, as the log has it. Any process may change it, so it is asked for before it counts. */
export class Definitions {
  readonly programs: Programs;
  readonly #log: SharedLog;
  readonly #told: DefinitionsTold;
  /** As the news count. */
  #seen: number | undefined;
  /** Number of the newest deployment in `programs`. */
  #newest = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(log: SharedLog, host: Host, told: DefinitionsTold) {
    this.#log = log;
    this.programs = new Programs(host);
    this.#told = told;
  }

  /** Resolves once everything counts that the log had when this was called. */
  async look(): Promise<void> {
    await this.told(await this.#log.news());
  }

  told({ definitions }: News): Promise<void> {
    const read = this.#reading.then(async () => {
      if (this.#seen === undefined || definitions > this.#seen) await this.#read(definitions);
    });
    this.#reading = read.catch(() => undefined);
    return read;
  }

  async #read(definitions: number): Promise<void> {
    for (const deployed of await this.#log.deployments()) {
      const { number, deployment } = deployed;
      if (number <= this.#newest && this.programs.has(deployment.id)) continue;
      this.programs.add(deployed);
      this.#newest = Math.max(this.#newest, number);
    }
    this.programs.resetRollouts(await this.#log.rollouts());
    for (const [queue, slots] of await this.#log.slots()) this.#told.resize(queue, slots);
    this.#told.schedule(await this.#log.schedules());
    this.#seen = definitions;
  }
}
