import { createHost } from "@tutti/definition";
import { type EngineReader, openPostgresReader, openReader, openSqliteReader } from "@tutti/engine";
import { JoinedReader, type Side } from "./engines/joined-reader.ts";
import type { EngineName } from "./engines/place.ts";
import { readTemporalLog } from "./engines/temporal-log.ts";
import { codeOf } from "./problem.ts";
import type { StateFolder } from "./state.ts";

/**
 * Reads what the engines of a folder have written, beside its owner or without one. Throws `database-missing` when nothing
 * has ever run there.
 */
export async function openStateReader(state: StateFolder): Promise<EngineReader> {
  const host = createHost();
  const own = state.store === undefined ? openSqliteReader(state.database) : await openPostgresReader(state.store);
  const temporal = await readTemporalLog(state);
  const sides = [sideOf("embedded", openReader({ store: own, host }))];
  if (temporal !== undefined) sides.push(sideOf("temporal", openReader({ store: temporal, host })));
  return new StateReader(state.engine === "temporal" ? sides.toReversed() : sides);
}

interface OpenSide extends Side<EngineReader> {
  readonly reader: EngineReader;
}

function sideOf(name: EngineName, reader: EngineReader): OpenSide {
  return { name, reader, read: async () => reader };
}

class StateReader extends JoinedReader<OpenSide> implements EngineReader {
  async standing(instanceId: string): ReturnType<EngineReader["standing"]> {
    return (await this.find(instanceId)).side.reader.standing(instanceId);
  }

  async program(hash: string): ReturnType<EngineReader["program"]> {
    const [last, ...others] = this.sides.map(({ reader }) => reader).toReversed() as [EngineReader, ...EngineReader[]];
    for (const reader of others) {
      try {
        return await reader.program(hash);
      } catch (error) {
        if (codeOf(error) !== "program-not-found") throw error;
      }
    }
    return last.program(hash);
  }

  async close(): Promise<void> {
    await Promise.all(this.sides.map(({ reader }) => reader.close()));
  }
}
