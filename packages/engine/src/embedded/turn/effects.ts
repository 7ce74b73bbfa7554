import { type Effect, type EffectType, lookup, must, staysOpen } from "@tutti/kernel";
import { limitKeyOf } from "../job/limit-key.ts";
import type { WorkQueue } from "../job/work-queue.ts";
import type { OpenSubscription } from "../message/coordination.ts";
import type { InstanceNumber, InstanceRecord, Message } from "../store.ts";
import type { Timers } from "../time/timers.ts";
import type { Live } from "./instances.ts";
import type { Draft, Performed } from "./turn.ts";

/** What performs effects once their events are durable. */
export interface World {
  readonly work: WorkQueue;
  readonly timers: Timers;
  /** What was kept for an instance while it was paused is on its way again. */
  goesOn(instance: InstanceNumber): void;
}

/**
 * How an effect is kept and done. `record` runs inside the turn and writes down what recovery needs to do it again;
 * `perform` runs after the commit and may be lost with the process.
 */
interface EffectHandler<E> {
  readonly record: (draft: Draft, live: Live, effect: E) => void;
  readonly perform: (world: World, record: InstanceRecord, effect: E) => void;
}

type Handlers = { readonly [K in EffectType]: EffectHandler<Extract<Effect, { readonly type: K }>> };

const nothing = (): void => undefined;

/** Told through the outbox: written with the events, delivered by a turn of its own, which deletes the entry. */
const message: EffectHandler<Message> = {
  record: (draft, live, effect) => draft.send(live.record, effect),
  perform: nothing,
};

const handlers: Handlers = lookup({
  "offer-job": {
    record: (draft, { record, state }, effect) => {
      draft.changes.push({
        type: "job-put",
        job: {
          instance: record.number,
          key: effect.key,
          element: effect.element,
          jobType: effect.jobType,
          queue: effect.queue,
          priority: effect.priority,
          attempt: effect.attempt,
          notBefore: effect.notBefore ?? 0,
          since: state.head.at,
          limitKey: limitKeyOf(effect),
        },
      });
    },
    perform: ({ work }, record, effect) => work.offer(record, effect),
  },
  "cancel-job": {
    record: nothing,
    perform: ({ work }, record, { key }) => work.cancel(record.number, key),
  },
  "arm-timer": {
    record: (draft, { record }, { key, due }) => {
      draft.changes.push({ type: "timer-put", timer: { instance: record.number, key, due } });
    },
    perform: ({ timers }, record, { key, due }) => timers.arm({ instance: record.number, key, due }),
  },
  "cancel-timer": {
    record: nothing,
    perform: ({ timers }, record, { key }) => timers.cancel(record.number, key),
  },
  "open-task": { record: nothing, perform: nothing },
  "close-task": { record: nothing, perform: nothing },
  // The log and the list of tasks show it; whoever delivers it follows the log.
  notify: { record: nothing, perform: nothing },
  "open-subscription": {
    record: (draft, live, effect) => {
      // A resume asks for those that are open again: they are here.
      if (draft.asksAgain) return;
      const subscription = subscriptionOf(live, effect, draft.numbers.position + 1);
      draft.changes.push({ type: "subscription-put", subscription });
      if (subscription.kind === "message") draft.exchange.open(subscription);
    },
    perform: nothing,
  },
  "close-subscription": {
    record: (draft, { record }, { key }) => {
      draft.changes.push({ type: "subscription-delete", instance: record.number, key });
    },
    perform: nothing,
  },
  "publish-message": message,
  "broadcast-signal": message,
  "start-child": message,
  "cancel-child": message,
  "pause-child": message,
  "resume-child": message,
  "answer-parent": message,
  "escalate-parent": message,
  continue: message,
  "hold-jobs": {
    record: (_draft, { record }) => {
      record.held = true;
    },
    perform: ({ work }, record, { stopRunning }) => work.hold(record.number, stopRunning),
  },
  "release-jobs": {
    record: (_draft, { record }) => {
      record.held = false;
    },
    perform: (world, record) => {
      world.work.release(record.number);
      world.goesOn(record.number);
    },
  },
});

/** As its row has it; `position` is the row of the log that opens it. */
export function subscriptionOf(
  { record, state, program }: Live,
  { key, kind, name, correlationKey, element }: Extract<Effect, { readonly type: "open-subscription" }>,
  position: number,
): OpenSubscription {
  const repeats = staysOpen(must(program.elements.get(element), `there is no '${element}'`));
  const channel = { name, correlationKey };
  const place = { instance: record.number, key, kind, process: record.process, element };
  return { ...place, ...channel, position, since: state.head.at, repeats, taken: false };
}

export function recordEffect(draft: Draft, live: Live, effect: Effect): void {
  // Indexing by a union loses which handler belongs to which effect; the type of `handlers` has proven the pairing.
  (handlers[effect.type] as EffectHandler<Effect>).record(draft, live, effect);
}

export function performEffect(world: World, { record, effect }: Performed): void {
  (handlers[effect.type] as EffectHandler<Effect>).perform(world, record, effect);
}
