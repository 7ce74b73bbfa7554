import { hash } from "node:crypto";
import { AppError, type Host, nextFiring } from "@tutti/kernel";
import type { Clock } from "../clock.ts";
import type { StoredSchedule } from "../embedded/message/coordination.ts";
import { refusalsMax } from "../embedded/message/refusal.ts";
import type { Change } from "../embedded/store.ts";
import { Alarm } from "../embedded/time/alarm.ts";
import { placeOf, requestIdOf, scheduleGone } from "../embedded/time/schedules.ts";
import type { EngineLog } from "../embedded/turn/pump.ts";
import type { Programs, Starter } from "../embedded/version/programs.ts";
import type { StartRequest } from "../port.ts";
import type { Projector } from "./projector.ts";

/** How soon again a start is tried for which something was away. */
const tryAgainMs = 1_000;

interface SchedulesOptions {
  readonly clock: Clock;
  readonly host: Host;
  readonly programs: Programs;
  readonly projector: Projector;
  /** Begins what is due. Rejects with `start-refused` when it cannot begin. */
  readonly start: (request: StartRequest, place: Starter["place"]) => Promise<string>;
  /** Resolves once `reset` was called with what the log has. */
  readonly look: () => Promise<void>;
  readonly log: EngineLog | undefined;
}

/**
 * What begins by itself. Each process that works has an appointment with its own clock, and all of them come at once:
 * what is due has one request id, so it begins once, and whoever is first writes down when it is due next.
 */
export class Schedules {
  readonly #options: SchedulesOptions;
  readonly #alarm: Alarm;
  #all: readonly StoredSchedule[] = [];
  /** Under way, by their places. */
  readonly #firing: Map<string, Promise<void>> = new Map();
  #closed = false;

  constructor(options: SchedulesOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.fireDue());
  }

  /** All there are, as the log has them. */
  reset(all: readonly StoredSchedule[]): void {
    this.#all = all;
    if (!this.#closed) for (const { due } of all) this.#alarm.wakeAt(due);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#alarm.stop();
    await Promise.all(this.#firing.values());
  }

  /** Also what was missed while nothing ran. */
  fireDue(): void {
    const now = this.#options.clock.now();
    for (const schedule of this.#all) {
      const place = placeOf(schedule);
      if (schedule.due > now) this.#alarm.wakeAt(schedule.due);
      else if (!this.#firing.has(place)) this.#firing.set(place, this.#fire(schedule, now));
    }
  }

  async #fire(schedule: StoredSchedule, now: number): Promise<void> {
    const { log, projector, look } = this.#options;
    try {
      const refused = await this.#begin(schedule, now);
      await projector.define(({ schedules }) => {
        const current = schedules.find((each) => placeOf(each) === placeOf(schedule));
        // A deployment has replaced it since, or another process was here before.
        if (current?.due !== schedule.due || current.hash !== schedule.hash) return [];
        return [...refused, ...this.#goesOn(schedule, now)];
      });
      this.#firing.delete(placeOf(schedule));
      await look();
    } catch (error) {
      this.#firing.delete(placeOf(schedule));
      log?.warn("what was due could not begin yet", { process: schedule.process, error: String(error) });
      if (!this.#closed) this.#alarm.wakeAt(now + tryAgainMs);
    }
  }

  /** Gives what is to be written of a start that was refused. */
  async #begin(schedule: StoredSchedule, now: number): Promise<readonly Change[]> {
    const { programs, start } = this.#options;
    const { process, element, trigger } = schedule;
    const requestId = requestIdOf(schedule);
    const routingKey = hash("sha256", requestId, "hex");
    const cause = { kind: "timer" as const, element, ...(trigger === undefined ? {} : { trigger }) };
    const starter = programs.starter(process, cause, { routingKey, variables: {} });
    if (starter === undefined) return [];
    const version = programs.versionOf(starter.named);
    const routed = { routingKey, variables: {}, actor: "schedule" };
    try {
      await start({ requestId, process, start: element, ...routed }, starter.place);
      return [];
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "start-refused") throw error;
      const code = String(error.details["rejection"]);
      // A reason is listed as it is; an error says it as a sentence.
      const reason = error.message.replace(/\.$/, "");
      return refusal({ process, version, name: element, code, reason, at: now });
    }
  }

  #goesOn(schedule: StoredSchedule, now: number): readonly Change[] {
    const next = nextFiring(schedule, now, this.#options.host);
    if (next === undefined) return [scheduleGone(schedule)];
    if (!("ok" in next)) return [{ type: "schedule-put", schedule: { ...schedule, ...next } }];
    // It ends here: without an instant nothing starts any more.
    const { process, element: name } = schedule;
    const { programs } = this.#options;
    const latest = programs.latest(process);
    const version = latest === undefined ? "" : programs.versionOf(latest);
    return [
      ...refusal({ process, version, name, code: next.code, reason: next.message, at: now }),
      scheduleGone(schedule),
    ];
  }
}

type Refused = { readonly [K in "process" | "version" | "name" | "code" | "reason"]: string } & { readonly at: number };

function refusal(refused: Refused): readonly Change[] {
  const what = { ...refused, cause: "schedule", correlationKey: null, messageId: null, message: null } as const;
  return [
    { type: "refusal-put", refusal: what },
    { type: "refusals-forget", keep: refusalsMax },
  ];
}
