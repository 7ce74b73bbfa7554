import type { InstanceView, Json, JsonObject, WaitingView } from "@tutti/kernel";
import { historyOf, type Reader } from "../run/reader.ts";
import { quote } from "../terminal/text.ts";
import { keyedId } from "./keyed-name.ts";

/** A job that has not been done. */
export interface OpenJob {
  /** As `tutti process job` takes it. */
  readonly id: string;
  readonly element: string;
  readonly jobType: string;
  readonly input: JsonObject;
  /** Whether somebody works on jobs of this type; null where that is not known: without an owner, or with workers elsewhere. */
  readonly worker: boolean | null;
}

/** Its open jobs with what their workers are given, which only the log tells. */
export async function openJobs(
  reader: Reader,
  { instanceId, waiting }: InstanceView,
  jobTypes: readonly string[] | undefined,
): Promise<readonly OpenJob[]> {
  const open = new Set(waiting.filter(({ on }) => on === "job").map(({ key }) => key));
  if (open.size === 0) return [];
  const jobs = new Map<number, OpenJob>();
  for await (const { event } of historyOf(reader, instanceId)) {
    if (event.type !== "job-created" || !open.has(event.key)) continue;
    const { key, element, jobType, input } = event;
    const worker = jobTypes === undefined ? null : jobTypes.includes(jobType);
    jobs.set(key, { id: keyedId({ instanceId, key }), element, jobType, input, worker });
  }
  return [...jobs.values()];
}

/** What a person can type to end the waits of one instance, without `tutti` and the state folder. */
export function waysOn(
  { instanceId, status, waiting, incidents, subscriptions, elements }: InstanceView,
  jobs: readonly OpenJob[],
): readonly string[] {
  const id = quote(instanceId);
  const ways: string[] = [];
  if (status === "paused") ways.push(`process resume ${id}`);
  if (incidents.length > 0) ways.push(`process retry ${id}`);
  if (incidents.some(({ kind }) => kind === "items-failed")) ways.push(`process retry ${id} --accept`);
  for (const { on, key } of waiting) {
    if (on === "task" && key !== null) ways.push(`task complete ${quote(keyedId({ instanceId, key }))} --result JSON`);
  }
  for (const job of jobs) if (job.worker !== true) ways.push(`process job complete ${quote(job.id)} --result JSON`);
  for (const { kind, name, correlationKey } of subscriptions) {
    const key = correlationKey === null ? "" : ` --key ${quote(correlationKey)}`;
    ways.push(kind === "message" ? `process publish ${quote(name)}${key}` : `process signal ${quote(name)}`);
  }
  for (const { childId } of elements) if (childId !== null) ways.push(`process show ${quote(childId)}`);
  return [...new Set(ways)];
}

/** One line: where it waits, for what, and what would end that. */
export function waitLine({ element, item, key, reason, until, dueAt, advice }: WaitingView, process: string): string {
  const place = `${element ?? process}${item === null ? "" : `[${item}]`}${key === null || key === 0 ? "" : ` #${key}`}`;
  const due = dueAt === null ? "" : ` Due ${new Date(dueAt).toISOString()}.`;
  return `${place}: ${whyWaiting({ reason, until })}${due}${advice === undefined ? "" : ` ${advice}`}`;
}

/** A reason may end with somebody else's message, which may or may not be a sentence. */
export function whyWaiting({ reason, until }: Pick<WaitingView, "reason" | "until">): string {
  return `${reason}${/[.!?…]$/.test(reason) ? "" : "."} Until: ${until}`;
}

/** Long values are cut: all of them are in --json. */
export function valueText(value: Json | undefined, columns: number): string {
  const text = JSON.stringify(value ?? null);
  return text.length <= columns ? text : `${text.slice(0, Math.max(1, columns - 1))}…`;
}
