import type { Json, JsonObject } from "../json.ts";
import { must } from "../problem.ts";
import type { CompensationRecord, State } from "../state/state.ts";
import type { CompletedWork, PackedRecord, PackedVariables } from "../undoable.ts";
import { variablesIn } from "./variable.ts";

/** Each value once: the snapshots of one instance have most of them in common. Equal is what is written alike. */
class ValuePool {
  readonly values: Json[] = [];
  readonly #places: Map<string, number> = new Map();

  pack(variables: JsonObject): PackedVariables {
    const packed: { [name: string]: number } = {};
    for (const [name, value] of Object.entries(variables)) packed[name] = this.#placeOf(value);
    return packed;
  }

  #placeOf(value: Json): number {
    const text = JSON.stringify(value);
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    this.#places.set(text, this.values.length);
    return this.values.push(value) - 1;
  }
}

/** All that completed in an instance and can be undone, with its variables: for an instance that undoes it. */
export function packWork(state: State): CompletedWork {
  const pool = new ValuePool();
  const records: PackedRecord[] = [];
  const collect = (scope: number): void => {
    for (const key of state.compensationsIn.of(scope)) {
      const record = must(state.compensations.get(key), "the index names what is recorded");
      records.push({ ...record, variables: pool.pack(record.variables) });
      collect(key);
    }
  };
  const variables = pool.pack(variablesIn(state, 0));
  collect(0);
  return { values: pool.values, variables, records };
}

/** The same of an instance that failed, where it may be nothing. */
export function packFailedWork(state: State): CompletedWork {
  const isEmpty = state.compensationsIn.count(0) === 0;
  return { ...(isEmpty ? { values: [], variables: {}, records: [] } : packWork(state)), failed: true };
}

export function unpackVariables({ values }: CompletedWork, packed: PackedVariables): JsonObject {
  return Object.fromEntries(Object.entries(packed).map(([name, place]) => [name, values[place] ?? null]));
}

export function unpackRecords(work: CompletedWork): CompensationRecord[] {
  return work.records.map((record) => ({ ...record, variables: unpackVariables(work, record.variables) }));
}
