import type { Page } from "../../port.ts";
import { parseCursor } from "../log/cursor.ts";
import type { PageRequest } from "../store.ts";

/** A page of a list that is short enough to be made whole. The cursor counts rows. */
export function pageOf<Row>(all: readonly Row[], { after, limit }: PageRequest): Page<Row> {
  const from = after === undefined ? 0 : (parseCursor(after, 1)[0] as number);
  const next = from + limit < all.length ? { next: String(from + limit) } : {};
  return { rows: all.slice(from, from + limit), ...next };
}
