import type { Page, ScheduleRow, Views } from "../../port.ts";
import { pageOf } from "../read/page.ts";
import type { PageRequest, StoreReader } from "../store.ts";

/** There are as many as timer start events are deployed; the soonest first. */
export async function listSchedules(
  store: StoreReader,
  { process: only }: Views["schedules"]["filter"],
  page: PageRequest,
): Promise<Page<ScheduleRow>> {
  const all = (await store.schedules())
    .filter(({ process }) => only === undefined || process === only)
    .map(({ process, element, due: dueAt, remaining }) => ({ process, element, dueAt, remaining }))
    .sort((a, b) => a.dueAt - b.dueAt || compare(a.process, b.process) || compare(a.element, b.element));
  return pageOf(all, page);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
