import type { Page } from "../../port.ts";
import type { PageRequest } from "../store.ts";

const pageRows = 1_000;

/** The rows of all pages of a list. What comes or goes meanwhile may be among them or not. */
export async function* everyRow<R>(pageOf: (request: PageRequest) => Promise<Page<R>>): AsyncIterableIterator<R> {
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const page = await pageOf({ limit: pageRows, ...(after === undefined ? {} : { after }) });
    yield* page.rows;
    after = page.next;
  }
}
