import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Channel,
  expiresAt,
  forgottenAt,
  messageIdKeptMs,
  oldestFor,
  type Remembered,
  recipientsOf,
  type Waiting,
} from "./message.ts";

const none: ReadonlySet<string> = new Set();
const keyed = { correlationKey: "order-1" };
const keyless = { correlationKey: null };

function waiting(process: string, age: number, fields: Partial<Waiting> = {}): Waiting {
  return { process, age, key: 1, repeats: false, taken: false, ...fields };
}

function channel(fields: Partial<Channel> = {}): Channel {
  return { waiting: [], starts: [], held: none, ...fields };
}

function names(of: Channel, message: { readonly correlationKey: string | null }, had = none): string[] {
  return recipientsOf(of, message, had).map((each) =>
    each.type === "start" ? `start ${each.process}` : `${each.process}.${each.waiting.age}.${each.waiting.key}`,
  );
}

test("[Q10] every process gets it, and each once", () => {
  const all = channel({ waiting: [waiting("ship", 4), waiting("bill", 2), waiting("ship", 3), waiting("bill", 9)] });
  expect(names(all, keyed)).toEqual(["bill.2.1", "ship.3.1"]);
  expect(names(all, keyed, new Set(["bill"]))).toEqual(["ship.3.1"]);
  expect(names(channel(), keyed)).toEqual([]);
});

test("[Q11] the oldest instance gets it, then the lowest key, in whatever order they are listed", () => {
  const list = [waiting("p", 5), waiting("p", 2, { key: 7 }), waiting("p", 2, { key: 3 }), waiting("p", 8)];
  expect(names(channel({ waiting: list }), keyed)).toEqual(["p.2.3"]);
  expect(names(channel({ waiting: list.toReversed() }), keyed)).toEqual(["p.2.3"]);
});

test("[Q11] who holds a message that has not arrived is passed over; who stays open gets another only if none is free", () => {
  const held = waiting("p", 1, { taken: true });
  expect(names(channel({ waiting: [held] }), keyed)).toEqual([]);
  expect(names(channel({ waiting: [held, waiting("p", 2)] }), keyed)).toEqual(["p.2.1"]);
  const open = waiting("p", 1, { taken: true, repeats: true });
  expect(names(channel({ waiting: [open] }), keyed)).toEqual(["p.1.1"]);
  expect(names(channel({ waiting: [open, waiting("p", 2)] }), keyed)).toEqual(["p.2.1"]);
  expect(names(channel({ waiting: [waiting("p", 2), open] }), keyed)).toEqual(["p.2.1"]);
});

test("[Q15] it starts what begins with it, unless an instance of that process waits for it", () => {
  const mixed = channel({ waiting: [waiting("b", 1)], starts: ["c", "b", "a"] });
  expect(names(mixed, keyed)).toEqual(["start a", "b.1.1", "start c"]);
  expect(names(mixed, keyed, new Set(["a"]))).toEqual(["b.1.1", "start c"]);
});

test("[Q16] with a key it starts none beside an open instance it started; without a key always", () => {
  const busy = channel({ starts: ["p", "q"], held: new Set(["p"]) });
  expect(names(busy, keyed)).toEqual(["start q"]);
  expect(names(busy, keyless)).toEqual(["start p", "start q"]);
});

function remembered(number: number, fields: Partial<Remembered> = {}): Remembered {
  return {
    ...{ number, name: "paid", correlationKey: "1", id: null, payload: {}, publishedAt: 100, ttlMs: 50, had: none },
    ...fields,
  };
}

test("[Q12] it counts until its time is over, that moment excluded", () => {
  const message = remembered(1);
  expect(expiresAt(message)).toBe(150);
  expect(oldestFor([message], { process: "p", now: 149 })).toBe(message);
  expect(oldestFor([message], { process: "p", now: 150 })).toBeUndefined();
});

test("[Q13] who comes to wait gets the oldest that its process has not had and that still counts", () => {
  const messages = [
    remembered(3),
    remembered(1, { ttlMs: 1 }),
    remembered(2, { had: new Set(["p"]) }),
    remembered(4, { ttlMs: 500 }),
  ];
  expect(oldestFor(messages, { process: "p", now: 120 })?.number).toBe(3);
  expect(oldestFor(messages, { process: "q", now: 120 })?.number).toBe(2);
  expect(oldestFor(messages, { process: "p", now: 200 })?.number).toBe(4);
});

test("[Q14] an id is remembered for an hour at least; without one a message is forgotten with its time", () => {
  expect(forgottenAt(remembered(1))).toBe(150);
  expect(forgottenAt(remembered(1, { id: "a" }))).toBe(100 + messageIdKeptMs);
  expect(forgottenAt(remembered(1, { id: "a", ttlMs: 2 * messageIdKeptMs }))).toBe(100 + 2 * messageIdKeptMs);
});

/** A world of one channel, run by the rules alone: what every engine does with its tables. */
type Step =
  | { readonly type: "open"; readonly process: string }
  | { readonly type: "close"; readonly pick: number }
  | { readonly type: "publish"; readonly ttlMs: number }
  | { readonly type: "end"; readonly process: string }
  | { readonly type: "pass"; readonly ms: number };

const process = fc.constantFrom("a", "b", "c");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant("open" as const), process }),
  fc.record({ type: fc.constant("close" as const), pick: fc.nat(5) }),
  fc.record({ type: fc.constant("publish" as const), ttlMs: fc.constantFrom(0, 10, 100) }),
  fc.record({ type: fc.constant("end" as const), process }),
  fc.record({ type: fc.constant("pass" as const), ms: fc.nat(60) }),
);

test("[Q10] [Q13] [Q16] whatever happens in whatever order, nobody has one twice, none overtakes, none waits in vain", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const starts = ["b", "c"];
      const open: Waiting[] = [];
      const messages: Remembered[] = [];
      const held = new Set<string>();
      const given: { process: string; message: number }[] = [];
      let [now, age] = [0, 0];
      const give = (message: Remembered, to: string, subscription?: Waiting): void => {
        if (subscription === undefined) held.add(to);
        else open.splice(open.indexOf(subscription), 1);
        messages[message.number] = { ...message, had: new Set([...message.had, to]) };
        given.push({ process: to, message: message.number });
      };
      /** Somebody of a process has come to wait. */
      const match = (to: string, subscription?: Waiting): void => {
        const found = oldestFor(messages, { process: to, now });
        if (found !== undefined) give(found, to, subscription);
      };
      for (const each of steps) {
        if (each.type === "pass") now += each.ms;
        else if (each.type === "close") open.splice(each.pick, 1);
        else if (each.type === "end") {
          if (held.delete(each.process)) match(each.process);
        } else if (each.type === "open") {
          const subscription = waiting(each.process, ++age);
          open.push(subscription);
          match(each.process, subscription);
        } else {
          const message = remembered(messages.length, { ttlMs: each.ttlMs, publishedAt: now });
          messages.push(message);
          for (const recipient of recipientsOf({ waiting: open, starts, held }, keyed, none)) {
            const current = messages[message.number] as Remembered;
            give(current, recipient.process, recipient.type === "waiting" ? recipient.waiting : undefined);
          }
        }
        for (const { process: waits } of open) {
          expect(oldestFor(messages, { process: waits, now }), "somebody waits in vain").toBeUndefined();
        }
      }
      const pairs = given.map((each) => `${each.process} ${each.message}`);
      expect(new Set(pairs).size).toBe(pairs.length);
      for (const one of ["a", "b", "c"]) {
        const order = given.filter((each) => each.process === one).map((each) => each.message);
        expect(order).toEqual(order.toSorted((x, y) => x - y));
      }
    }),
  );
});
