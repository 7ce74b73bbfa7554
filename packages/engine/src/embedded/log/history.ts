import { AppError } from "@tutti/kernel";
import type { Cursor, HistoryRequest, RecordedEvent } from "../../port.ts";
import type { NamedLogRow, StoreReader } from "../store.ts";

/** Rows in memory at once, of each reader. */
const pageRows = 100;

/** Where new rows come from. `after` may answer from memory; undefined sends the reader to the store. */
export interface Tail {
  after(position: number): readonly NamedLogRow[] | undefined;
  grown(position: number, signal: AbortSignal | undefined): Promise<void>;
  /** Position of the newest row known; 0 when unknown. */
  readonly last: number;
  readonly closed: boolean;
}

/**
 * The log's events after a cursor, in order, each once. A slow reader holds one page and nothing else: what it has not
 * read yet waits in the store.
 */
export async function* readHistory(
  store: Pick<StoreReader, "rows">,
  tail: Tail,
  request: HistoryRequest,
): AsyncGenerator<RecordedEvent, void, undefined> {
  const { after = { position: 0, index: 0 }, instanceId, rootId, follow = false, signal } = request;
  checkCursor(after);
  // The row the cursor stands in may have events after it.
  let position = Math.max(0, after.position - 1);
  const chosen = {
    ...(instanceId === undefined ? {} : { instanceId }),
    ...(rootId === undefined ? {} : { rootId }),
    limit: pageRows,
  };
  while (!isAborted(signal)) {
    const recent = tail.after(position);
    const { last } = tail;
    const rows = recent ?? (await store.rows({ ...chosen, after: position }));
    for (const row of rows) {
      position = row.position;
      if (instanceId !== undefined && row.instanceId !== instanceId) continue;
      if (rootId !== undefined && row.rootId !== rootId) continue;
      for (const recorded of eventsOf(row, after)) {
        if (isAborted(signal)) return;
        yield recorded;
      }
    }
    // A short page from the store means that no row up to `last` is left, though the newest ones may be of others.
    if (recent === undefined && rows.length < pageRows) position = Math.max(position, last);
    if (rows.length > 0) continue;
    if (!follow || tail.closed) return;
    await tail.grown(position, signal);
    // What is still unread can be read from the cursor once the store is open again.
    if (tail.closed) return;
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function* eventsOf(row: NamedLogRow, after: Cursor): Generator<RecordedEvent> {
  for (const [index, event] of row.events.entries()) {
    if (row.position === after.position && index <= after.index) continue;
    yield {
      cursor: { position: row.position, index },
      instanceId: row.instanceId,
      rootId: row.rootId,
      sequence: row.sequence + index,
      ...(row.sequence + index <= row.copied ? { copied: true } : {}),
      at: row.at,
      event,
    };
  }
}

function checkCursor({ position, index }: Cursor): void {
  if (Number.isSafeInteger(position) && position >= 0 && Number.isSafeInteger(index) && index >= 0) return;
  throw new AppError("cursor-invalid", "Expected a cursor {position, index} of whole numbers from 0.");
}
