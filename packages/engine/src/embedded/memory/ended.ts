import { must } from "@tutti/kernel";
import { madeId } from "../instance-id.ts";
import type { InstanceNumber, InstanceRecord } from "../store.ts";
import { Column } from "./column.ts";

/** What many instances have in common. */
type Family = Pick<InstanceRecord, "process" | "version" | "hash" | "deployment" | "status">;

/**
 * Records of instances that ended and had nothing special about them, as most, out of the garbage collector's sight:
 * kept as objects, all that have ever been cost more to carry through the heap than their work did.
 */
export class EndedInstances {
  readonly #families: Family[] = [];
  /** Place of the family, 0 for a number that is not here; by the instance's number, like what follows. */
  readonly #family: Column = new Column();
  readonly #startedAt: Column = new Column();
  readonly #endedAt: Column = new Column();
  readonly #requestIds: (string | null)[] = [];
  #last: InstanceNumber = 0;

  /** False for one that has to be kept otherwise. */
  add(record: InstanceRecord): boolean {
    const { number, instanceId, endedAt } = record;
    if (endedAt === null || record.held || record.incidents !== 0 || record.copied !== 0) return false;
    if (record.rootId !== instanceId || instanceId !== madeId(record.process, number)) return false;
    if (record.parentId !== null || record.businessKey !== null || record.startedBy !== null) return false;
    this.#family.set(number, this.#familyOf(record));
    this.#startedAt.set(number, record.startedAt);
    this.#endedAt.set(number, endedAt);
    this.#requestIds[number] = record.requestId;
    this.#last = Math.max(this.#last, number);
    return true;
  }

  get(number: InstanceNumber): InstanceRecord | undefined {
    const place = this.#family.get(number);
    if (place === 0) return undefined;
    const { process, version, hash, deployment, status } = must(this.#families[place - 1], "it has a family");
    const instanceId = madeId(process, number);
    return {
      ...{ number, instanceId, rootId: instanceId, parentId: null, process, version, hash, deployment },
      ...{ businessKey: null, requestId: this.#requestIds[number] ?? null, startedBy: null, copied: 0 },
      ...{ status, held: false, incidents: 0 },
      ...{ startedAt: this.#startedAt.get(number), endedAt: this.#endedAt.get(number) },
    };
  }

  /** Takes one out again. */
  take(number: InstanceNumber): InstanceRecord | undefined {
    const record = this.get(number);
    if (record !== undefined) this.#family.set(number, 0);
    return record;
  }

  *values(): IterableIterator<InstanceRecord> {
    for (let number = 1; number <= this.#last; number++) {
      const record = this.get(number);
      if (record !== undefined) yield record;
    }
  }

  /** The newest families first: there are few, and what ends now mostly belongs to the last of them. */
  #familyOf({ process, version, hash, deployment, status }: InstanceRecord): number {
    for (let place = this.#families.length; place > 0; place--) {
      const family = this.#families[place - 1];
      if (family?.deployment !== deployment || family.process !== process || family.status !== status) continue;
      if (family.hash === hash && family.version === version) return place;
    }
    return this.#families.push({ process, version, hash, deployment, status });
  }
}
