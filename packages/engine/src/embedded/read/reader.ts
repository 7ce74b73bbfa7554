import {
  AppError,
  defaultSlots,
  type Host,
  instanceView,
  loadProgram,
  type Program,
  queueClasses,
  type State,
} from "@tutti/kernel";
import { type Clock, realClock } from "../../clock.ts";
import { movedAway } from "../../moving.ts";
import type { Engine } from "../../port.ts";
import { readHistory, type Tail } from "../log/history.ts";
import type { StoreReader } from "../store.ts";
import { rebuild } from "../turn/instances.ts";
import { instanceNotFound } from "../turn/scope.ts";
import { queryStore } from "./query.ts";

/** What an instance is, for checks that go on from there. The state is the caller's own. */
export interface Standing {
  readonly program: Program;
  readonly state: State;
}

/** The part of an engine that only reads, and what only a reader of the store itself can give. */
export interface EngineReader extends Pick<Engine, "instance" | "query" | "history"> {
  /** Rejects with `instance-not-found`. */
  standing(instanceId: string): Promise<Standing>;
  /** A program that was deployed, by its hash. Rejects with `program-not-found`. */
  program(hash: string): Promise<Program>;
  close(): Promise<void>;
}

const pollMs = 250;

/**
 * Reads a store with or without an owner, and writes nothing. What only the owner knows is missing: no job shows as
 * running. `history` with `follow` looks for new events four times a second. Closes the store with itself.
 */
export function openReader(options: {
  readonly store: StoreReader;
  readonly host: Host;
  readonly clock?: Clock;
}): EngineReader {
  const { store, host, clock = realClock } = options;
  const closing = new AbortController();
  const tail: Tail = {
    after: () => undefined,
    grown: (_position, signal) => pause(clock, [closing.signal, ...(signal === undefined ? [] : [signal])]),
    last: 0,
    get closed() {
      return closing.signal.aborted;
    },
  };
  return {
    instance: async (instanceId) => {
      const { program, state } = await standingOf(store, host, instanceId);
      return instanceView(program, state);
    },
    standing: (instanceId) => standingOf(store, host, instanceId),
    program: async (hash) => {
      const document = await store.program(hash);
      if (document === undefined)
        throw new AppError("program-not-found", `Expected a program '${hash}', but there is none`);
      return loadProgram(document, host);
    },
    query: async (view, filter, page) => {
      const live = { standing: () => undefined, now: () => clock.now(), queues: () => storedQueues(store) };
      return (await queryStore(store, { view, filter, page }, live)) as never;
    },
    history: (request = {}) => readHistory(store, tail, request),
    close: async () => {
      closing.abort();
      await store.close();
    },
  };
}

async function standingOf(store: StoreReader, host: Host, instanceId: string): Promise<Standing> {
  const { instances } = await store.find({ instanceIds: [instanceId], numbers: [], requestIds: [] });
  const stored = instances[0];
  if (stored === undefined) throw instanceNotFound(instanceId);
  if (stored.record.status === "moved") throw movedAway(instanceId);
  const document = await store.program(stored.record.hash);
  if (document === undefined) {
    throw new AppError("database-damaged", `Expected the program of '${instanceId}', but it is not there.`);
  }
  return { program: loadProgram(document, host), state: rebuild(stored) };
}

async function storedQueues(
  store: StoreReader,
): Promise<{ queue: keyof typeof defaultSlots; slots: number; running: number; waiting: number }[]> {
  const adjusted = await store.slots();
  return queueClasses.map((queue) => ({
    queue,
    slots: adjusted.get(queue) ?? defaultSlots[queue],
    running: 0,
    waiting: 0,
  }));
}

function pause(clock: Clock, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise<void>((resolve) => {
    const done = (): void => {
      cancel();
      for (const signal of signals) signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.schedule(clock.now() + pollMs, done);
    for (const signal of signals) signal.addEventListener("abort", done, { once: true });
    if (signals.some((signal) => signal.aborted)) done();
  });
}
