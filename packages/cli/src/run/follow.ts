import { setTimeout as sleep } from "node:timers/promises";
import type { RunView } from "@tutti/feature";
import { AppError } from "@tutti/kernel";
import type { EventRecord } from "@tutti/protocol";
import { isAbsent } from "../owner/client.ts";
import { codeOf } from "../problem.ts";
import type { RunAccess } from "./access.ts";
import { Narrator, type Told } from "./narrate.ts";

export interface FollowOptions {
  readonly run: string;
  /** What happened before this (epoch ms) is not told again. */
  readonly since: number;
  /** Ends the following, never the run. */
  readonly signal: AbortSignal;
  /** Whether to stop following here. */
  isRest(view: RunView): boolean;
  onView?(view: RunView): void;
  onTold?(told: Told): void;
  onRecord?(record: EventRecord): void;
}

export interface Followed {
  readonly view: RunView;
  /** The person stopped watching; the run goes on. */
  readonly detached: boolean;
}

const viewEveryMs = 1_000;
const viewGapMs = 200;
const quietMs = 120;
const quietMsMax = 1_500;

/** Whether a run does nothing more by itself. */
export function isAtRest({ status }: Pick<RunView, "status">): boolean {
  return status !== "running";
}

/** Whether it has ended, or only a person can make it go on; a paused one may be resumed by somebody else. */
export function isOver({ status }: Pick<RunView, "status">): boolean {
  return status !== "running" && status !== "paused";
}

/** Watches a run until it rests or the signal aborts. Looks again when something happened, at least once a second. */
export async function followRun(access: RunAccess, options: FollowOptions): Promise<Followed> {
  const { signal } = options;
  const stop = new AbortController();
  const news = new News();
  const reading = readEvents(access, { ...options, signal: stop.signal, onNews: () => news.arrived() });
  const onAbort = (): void => news.arrived();
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      const view = await lookPatiently(access, options);
      options.onView?.(view);
      if (options.isRest(view)) {
        await news.quiet(quietMs, quietMsMax);
        return { view, detached: false };
      }
      if (signal.aborted) return { view, detached: true };
      await news.next(viewGapMs, viewEveryMs);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    stop.abort();
    await reading;
  }
}

/** A store that refuses to write is no end of a run: it is looked at again, and said once. */
async function lookPatiently(access: RunAccess, options: FollowOptions): Promise<RunView> {
  const { run, signal, onTold } = options;
  for (let refusals = 0; ; refusals += 1) {
    try {
      return await look(access, run);
    } catch (error) {
      if (codeOf(error) !== "storage-failed" || signal.aborted) throw error;
      const text = "the disk refuses to write: nothing goes on until it does again";
      if (refusals === 0) onTold?.({ at: Date.now(), unit: null, text, tone: "attention" });
      await sleep(viewEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function look(access: RunAccess, run: string): Promise<RunView> {
  try {
    return await access.view(run);
  } catch (error) {
    const gone =
      isAbsent(error) || ["owner-stopping", "engine-closed", "owner-unreachable"].includes(codeOf(error) ?? "");
    if (!gone) throw error;
    throw new AppError("interrupted", `The owner of the state folder has ended, and ${run} rests`, { cause: error });
  }
}

async function readEvents(
  access: RunAccess,
  options: Pick<FollowOptions, "run" | "since" | "signal" | "onTold" | "onRecord"> & { onNews(): void },
): Promise<void> {
  const { run, since, signal } = options;
  const narrator = new Narrator();
  try {
    for await (const record of access.reader.history({ rootId: run, follow: true, signal })) {
      const told = narrator.tell(record);
      if (record.at >= since) {
        options.onRecord?.(record);
        if (told !== undefined) options.onTold?.(told);
      }
      options.onNews();
    }
  } catch {
    // The stream ends with its owner; the next look says so in words.
  }
}

/** Wakes whoever waits for something to happen. */
class News {
  #wake: (() => void) | undefined;
  #at = 0;

  arrived(): void {
    this.#at = Date.now();
    this.#wake?.();
  }

  /** Resolves after `gapMs` at the earliest, then with the next news or after `everyMs`. */
  async next(gapMs: number, everyMs: number): Promise<void> {
    const before = this.#at;
    await this.#sleep(gapMs);
    if (this.#at === before) await this.#sleep(everyMs - gapMs, true);
  }

  /** Resolves when nothing has arrived for `ms`. */
  async quiet(ms: number, maxMs: number): Promise<void> {
    const deadline = Date.now() + maxMs;
    do await this.#sleep(ms);
    while (Date.now() - this.#at < ms && Date.now() < deadline);
  }

  #sleep(ms: number, wakeable = false): Promise<void> {
    return new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (wakeable) this.#wake = done;
    });
  }
}
