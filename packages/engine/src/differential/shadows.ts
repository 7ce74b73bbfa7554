import { type Effect, type EffectType, type Event, effectsOf, evolve, newState, type State } from "@tutti/kernel";
import type { Cursor, RecordedEvent } from "../port.ts";

/** An instance as its events say, and all that they demanded of the world. */
export class Shadow {
  readonly state: State = newState();
  readonly events: RecordedEvent[] = [];
  readonly demands: Effect[] = [];
  /** Jobs that were there to be done while nothing else happened, as `key#attempt`. */
  readonly offered: Set<string> = new Set();

  /** Gives what the event demands. */
  take(recorded: RecordedEvent): readonly Effect[] {
    const event: Event = recorded.event;
    evolve(this.state, event);
    const effects = effectsOf(this.state, event);
    this.events.push(recorded);
    this.demands.push(...effects);
    return effects;
  }

  get isOpen(): boolean {
    return this.state.head.status !== null && this.state.head.endedAt === null;
  }

  /** Those that a worker has, or could have. */
  jobs(now: number): { readonly key: number; readonly attempt: number }[] {
    if (!this.isOpen || this.state.head.status === "paused") return [];
    return [...this.state.jobs.values()].filter(({ parked, retryAt }) => !parked && (retryAt ?? 0) <= now);
  }

  /** When time brings something by itself, after `now`. */
  nextDue(now: number): number | undefined {
    if (!this.isOpen) return undefined;
    const dues = [...this.state.timers.values()].map(({ due }) => due);
    for (const { retryAt } of this.state.jobs.values()) if (retryAt !== null) dues.push(retryAt);
    const later = dues.filter((due) => due > now);
    return later.length === 0 ? undefined : Math.min(...later);
  }
}

/** All instances of one seed. */
export class Shadows {
  readonly byId: Map<string, Shadow> = new Map();
  cursor: Cursor = { position: 0, index: 0 };

  /** Takes the events of one step, and tells whether another engine may have had them in another order. */
  take(events: readonly RecordedEvent[], started: number): { readonly mayDiffer: boolean } {
    const rows = Map.groupBy(events, ({ cursor }) => cursor.position);
    const rowsOf = new Map<string, number>();
    const flight = new Flight(started);
    for (const row of rows.values()) {
      const [first] = row;
      if (first === undefined) continue;
      const { instanceId } = first;
      rowsOf.set(instanceId, (rowsOf.get(instanceId) ?? 0) + 1);
      flight.row(row.flatMap((event) => this.#of(event.instanceId).take(event)));
      this.cursor = row.at(-1)?.cursor ?? this.cursor;
    }
    const twice = [...rowsOf.values()].some((count) => count > 1);
    return { mayDiffer: flight.wasCrowded && (twice || flight.isForAnybody || waitAlike(events)) };
  }

  #of(instanceId: string): Shadow {
    let shadow = this.byId.get(instanceId);
    if (shadow === undefined) {
      shadow = new Shadow();
      this.byId.set(instanceId, shadow);
    }
    return shadow;
  }
}

/** Whether several instances began to wait for one message: it goes to the first, and each engine has its own. */
function waitAlike(events: readonly RecordedEvent[]): boolean {
  const waiting = new Map<string, string>();
  return events.some(({ instanceId, event }) => {
    if (event.type !== "subscription-opened" || event.kind !== "message") return false;
    const address = JSON.stringify([event.name, event.correlationKey]);
    const other = waiting.get(address);
    waiting.set(address, instanceId);
    return other !== undefined && other !== instanceId;
  });
}

/** What goes from one instance to another, or to itself: it is on its way while others may do something. */
const outward: ReadonlySet<EffectType> = new Set([
  "publish-message",
  "broadcast-signal",
  "start-child",
  "cancel-child",
  "pause-child",
  "resume-child",
  "answer-parent",
  "escalate-parent",
  "continue",
]);

/** How much is on its way at once: with one thing there is one order, with several each engine has its own. */
class Flight {
  wasCrowded: boolean;
  isForAnybody = false;
  #under: number;

  constructor(started: number) {
    this.#under = started;
    this.wasCrowded = false;
  }

  row(effects: readonly Effect[]): void {
    const sent = effects.filter(({ type }) => outward.has(type));
    this.#under += sent.length - 1;
    this.isForAnybody ||= sent.some(({ type }) => type === "publish-message" || type === "broadcast-signal");
    if (sent.length > 0 && this.#under > 1) this.wasCrowded = true;
    if (this.#under < 0) this.wasCrowded = true;
  }
}
