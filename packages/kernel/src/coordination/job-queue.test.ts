import fc from "fast-check";
import { expect, test } from "vitest";
import { Heap } from "./heap.ts";
import { JobQueue, type QueuedJob } from "./job-queue.ts";

interface TestJob extends QueuedJob {
  readonly name: string;
}

const any = (): boolean => true;

function job(name: string, fields: Partial<Omit<TestJob, "name">> = {}): TestJob {
  return { name, jobType: "work", queue: "standard", priority: 3, eligibleAt: 0, limitKey: undefined, ...fields };
}

function queueOf(jobs: readonly TestJob[], slots = 100): JobQueue<TestJob> {
  const queue = new JobQueue<TestJob>({ slots: { light: slots, standard: slots, heavy: slots } });
  for (const each of jobs) queue.offer(each, 0);
  return queue;
}

function takeAll(queue: JobQueue<TestJob>, now: number, accepts: (type: string) => boolean = any): string[] {
  const names: string[] = [];
  for (let next = queue.take(now, accepts); next; next = queue.take(now, accepts)) names.push(next.name);
  return names;
}

test("[Q1] a class runs no more jobs than it has slots, 10, 5 and 2 unless told", () => {
  const queue = new JobQueue<TestJob>();
  for (let n = 0; n < 20; n++) {
    for (const name of ["light", "standard", "heavy"] as const) queue.offer(job(`${name}${n}`, { queue: name }), 0);
  }
  expect(takeAll(queue, 0)).toHaveLength(17);
  expect(queue.counts("light")).toEqual({ slots: 10, running: 10, waiting: 10 });
  expect(queue.counts("standard")).toEqual({ slots: 5, running: 5, waiting: 15 });
  expect(queue.counts("heavy")).toEqual({ slots: 2, running: 2, waiting: 18 });
  expect(queue.waiting).toBe(43);
});

test("[Q2] better priority first, equal ones in the order of their offer", () => {
  const queue = queueOf([
    job("c", { priority: 5 }),
    job("a", { priority: 1, jobType: "other" }),
    job("b1"),
    job("b2", { jobType: "other" }),
    job("b3"),
  ]);
  expect(takeAll(queue, 0)).toEqual(["a", "b1", "b2", "b3", "c"]);
});

test("[Q3] nothing starts before it is eligible, and nextAt says when to look again", () => {
  const queue = queueOf([job("later", { eligibleAt: 500 }), job("now"), job("latest", { eligibleAt: 900 })]);
  expect(takeAll(queue, 499)).toEqual(["now"]);
  expect(queue.nextAt(499)).toBe(500);
  expect(takeAll(queue, 500)).toEqual(["later"]);
  expect(queue.nextAt(500)).toBe(900);
  expect(takeAll(queue, 900)).toEqual(["latest"]);
  expect(queue.nextAt(900)).toBeUndefined();
});

test("[Q4] waiting one aging step longer is worth one level of priority", () => {
  const queue = new JobQueue<TestJob>({ agingMs: 1_000 });
  queue.offer(job("old", { priority: 4, eligibleAt: 0 }), 0);
  queue.offer(job("young", { priority: 3, eligibleAt: 999 }), 999);
  queue.offer(job("younger", { priority: 3, eligibleAt: 1_001 }), 1_001);
  expect(takeAll(queue, 2_000)).toEqual(["young", "old", "younger"]);
});

test("[Q4] a job of the worst priority starts in bounded time under an endless stream of the best", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 10, max: 500 }), (slots, agingMs) => {
      const queue = new JobQueue<TestJob>({ agingMs, slots: { standard: slots } });
      queue.offer(job("old", { priority: 5 }), 0);
      for (let now = 0; now <= 4 * agingMs + 50; now += 10) {
        for (let n = 0; n < slots + 1; n++) queue.offer(job("new", { priority: 1, eligibleAt: now }), now);
        const taken: TestJob[] = [];
        for (let next = queue.take(now, any); next; next = queue.take(now, any)) taken.push(next);
        if (taken.some((each) => each.name === "old")) return now <= 4 * agingMs + 10 * (slots + 1) * 50;
        for (const each of taken) queue.release(each);
      }
      // The backlog of best ones from before the crossing is served first; after it the old one is next.
      const rest = takeAllReleasing(queue, 4 * agingMs + 60);
      const at = rest.indexOf("old");
      return at >= 0 && rest.slice(at + 1).length > 0;
    }),
  );
});

function takeAllReleasing(queue: JobQueue<TestJob>, now: number): string[] {
  const names: string[] = [];
  for (let next = queue.take(now, any); next; next = queue.take(now, any)) {
    names.push(next.name);
    queue.release(next);
  }
  return names;
}

test("[Q5] a type nobody runs waits and holds up no other", () => {
  const queue = queueOf([job("unknown", { jobType: "x", priority: 1 }), job("known")]);
  expect(takeAll(queue, 0, (type) => type === "work")).toEqual(["known"]);
  expect(takeAll(queue, 0)).toEqual(["unknown"]);
});

test("[Q6] jobs of one key keep within its running limit and its rate", () => {
  const queue = queueOf([
    job("a", { limitKey: "k" }),
    job("b", { limitKey: "k" }),
    job("c", { limitKey: "k" }),
    job("free", { priority: 5 }),
  ]);
  queue.limit("k", { runningMax: 1, startsMax: 2, windowMs: 100 });
  const first = queue.take(0, any);
  expect(first?.name).toBe("a");
  expect(queue.take(0, any)?.name).toBe("free");
  expect(queue.take(0, any)).toBeUndefined();
  queue.release(first as TestJob);
  const second = queue.take(50, any);
  expect(second?.name).toBe("b");
  queue.release(second as TestJob);
  expect(queue.take(99, any)).toBeUndefined();
  expect(queue.nextAt(99)).toBe(100);
  expect(queue.take(100, any)?.name).toBe("c");
});

test("[Q7] a withdrawn job never starts; one already taken cannot be withdrawn", () => {
  const [a, b, late] = [job("a"), job("b"), job("late", { eligibleAt: 10 })] as const;
  const queue = queueOf([a, b, late]);
  expect(queue.withdraw(a)).toBe(true);
  expect(queue.withdraw(late)).toBe(true);
  expect(queue.take(20, any)?.name).toBe("b");
  expect(queue.withdraw(b)).toBe(false);
  expect(queue.take(20, any)).toBeUndefined();
  expect(queue.nextAt(20)).toBeUndefined();
});

test("[Q8] more slots count at once, fewer end nothing", () => {
  const queue = queueOf([job("a"), job("b"), job("c"), job("d")], 2);
  const a = queue.take(0, any) as TestJob;
  const b = queue.take(0, any) as TestJob;
  expect(queue.take(0, any)).toBeUndefined();
  queue.adjust("standard", 3);
  expect(queue.take(0, any)?.name).toBe("c");
  queue.adjust("standard", 1);
  expect(queue.counts("standard").running).toBe(3);
  queue.release(a);
  queue.release(b);
  expect(queue.take(0, any)).toBeUndefined();
});

test("[Q9] a full class holds up no other", () => {
  const queue = queueOf([job("heavy", { queue: "heavy", priority: 1 }), job("light", { queue: "light", priority: 5 })]);
  queue.adjust("heavy", 0);
  expect(takeAll(queue, 0)).toEqual(["light"]);
});

const anyJob = fc.record({
  name: fc.uuid(),
  jobType: fc.constantFrom("a", "b", "c"),
  queue: fc.constantFrom("light" as const, "standard" as const, "heavy" as const),
  priority: fc.integer({ min: 1, max: 5 }),
  eligibleAt: fc.integer({ min: 0, max: 1_000_000 }),
  limitKey: fc.constant(undefined),
});

test("[Q1] [Q2] [Q4] [Q7] whatever was offered is taken exactly once, in the order of the rules", () => {
  fc.assert(
    fc.property(fc.array(anyJob, { maxLength: 300 }), fc.integer({ min: 2, max: 7 }), (jobs, every) => {
      const queue = queueOf(jobs, 1_000);
      const withdrawn = jobs.filter((_, index) => index % every === 0);
      for (const each of withdrawn) expect(queue.withdraw(each)).toBe(true);
      const rest = jobs.filter((_, index) => index % every !== 0);
      const rank = (each: QueuedJob): number => each.eligibleAt + each.priority * 60_000;
      for (const name of ["light", "standard", "heavy"] as const) {
        const expected = rest.filter((each) => each.queue === name).sort((a, b) => rank(a) - rank(b));
        const taken: TestJob[] = [];
        for (let n = 0; n < expected.length; n++) {
          taken.push(queue.take(2_000_000, (type) => type !== "") as TestJob);
        }
        // Classes are served in turn order light, standard, heavy: all of one before the next while slots are free.
        expect(taken.map((each) => each.name)).toEqual(expected.map((each) => each.name));
      }
      expect(queue.take(2_000_000, any)).toBeUndefined();
    }),
  );
});

test("[Q6] a limit can be changed, may say only one thing, and a lane that ran dry comes back", () => {
  const queue = queueOf([1, 2, 3, 4].map((n) => job(`k${n}`, { limitKey: "key" })));
  queue.limit("key", { runningMax: 1 });
  expect(queue.nextAt(0)).toBeUndefined();
  const first = queue.take(0, any);
  expect(first?.name).toBe("k1");
  expect(queue.take(0, any)).toBeUndefined();
  queue.limit("key", { runningMax: 3 });
  expect(takeAll(queue, 0)).toEqual(["k2", "k3"]);
  if (first !== undefined) queue.release(first);
  expect(takeAll(queue, 0)).toEqual(["k4"]);
  expect(takeAll(queue, 0)).toEqual([]);
  queue.limit("key", { startsMax: 1, windowMs: 50 });
  queue.offer(job("k5", { limitKey: "key" }), 0);
  expect(takeAll(queue, 0)).toEqual(["k5"]);
  queue.offer(job("k6", { limitKey: "key" }), 0);
  queue.offer(job("late", { eligibleAt: 30 }), 0);
  queue.limit("other", { startsMax: 1, windowMs: 10 });
  expect(queue.nextAt(0)).toBe(30);
  expect(takeAll(queue, 30)).toEqual(["late"]);
  expect(queue.nextAt(30)).toBe(50);
  queue.offer(job("o1", { limitKey: "other" }), 30);
  expect(takeAll(queue, 30)).toEqual(["o1"]);
  queue.offer(job("o2", { limitKey: "other" }), 30);
  expect(queue.nextAt(30)).toBe(40);
  expect(takeAll(queue, 50)).toEqual(["k6", "o2"]);
  expect(queue.nextAt(50)).toBe(60);
});

test("[Q7] withdrawing most of a long line leaves the order of the others alone", () => {
  const jobs = Array.from({ length: 300 }, (_, n) => job(`j${n}`, { priority: 1 + (n % 5) }));
  const queue = queueOf(jobs, 1_000);
  const kept = jobs.filter((each, n) => n % 10 === 0 || !queue.withdraw(each));
  const expected = [...kept].sort((a, b) => a.priority - b.priority || jobs.indexOf(a) - jobs.indexOf(b));
  expect(takeAll(queue, 0)).toEqual(expected.map(({ name }) => name));
});

test("[Q3] a withdrawn job in backoff neither starts nor keeps anybody awake", () => {
  const gone = job("gone", { eligibleAt: 100 });
  const queue = queueOf([gone, job("later", { eligibleAt: 200 })]);
  expect(queue.withdraw(gone)).toBe(true);
  expect(takeAll(queue, 300)).toEqual(["later"]);
  const again = queueOf([gone]);
  again.withdraw(gone);
  expect(again.nextAt(0)).toBeUndefined();
});

test("[Q2] a heap gives all its items in order and is empty then", () => {
  const heap = new Heap<number>((a, b) => a - b);
  for (const value of [5, 3, 9, 1, 7]) heap.push(value);
  expect(heap.drain()).toEqual([1, 3, 5, 7, 9]);
  expect(heap.size).toBe(0);
  expect(heap.pop()).toBeUndefined();
});
