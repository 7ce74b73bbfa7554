import type { Command, InstanceView, ProgramDocument, QueueClass, Rollout, RolloutPlan } from "@tutti/kernel";
import type {
  AdoptOptions,
  Correlated,
  Deployment,
  ForkRequest,
  InstanceCommand,
  MigrateRequest,
  Migration,
  MovedInstance,
  Outcome,
  StartRequest,
} from "../../port.ts";
import type { Begin } from "../message/begin.ts";
import type { Unmatched } from "../message/coordination.ts";
import type { PreparedStart, Publication } from "../message/publish.ts";
import type { Signal } from "../message/signals.ts";
import type { InstanceNumber, LogRow, OutboxEntry, StoredDeployment } from "../store.ts";
import type { Firing } from "../time/schedules.ts";

/** Whoever waits for something to be durable. */
export interface Answer<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

type Untimed<C> = C extends Command ? Omit<C, "at"> : never;
/** What the engine itself sends: what a job or a timer came to. */
export type OwnCommand = Untimed<
  Extract<Command, { readonly type: "complete-job" | "fail-job" | "throw-job-error" | "fire-timer" }>
>;
export type TimelessCommand = Untimed<Command>;

/** Something for a turn to take up. Those with an `answer` come from callers. */
export type Item =
  | {
      readonly type: "command";
      readonly instanceId: string;
      readonly command: InstanceCommand;
      readonly answer: Answer<Outcome>;
    }
  | {
      readonly type: "start";
      readonly request: StartRequest;
      readonly answer: Answer<string>;
      /** Given each time a turn takes it up; 0 before. */
      number: InstanceNumber;
      /** The one that was asked for, or is made of the number. */
      instanceId: string;
    }
  | {
      readonly type: "migrate";
      readonly instanceId: string;
      readonly request: MigrateRequest;
      readonly answer: Answer<Migration>;
    }
  | {
      readonly type: "fork";
      readonly request: ForkRequest;
      /** What it begins with, and the program that the last of it is under. */
      readonly rows: readonly LogRow[];
      readonly hash: string;
      readonly answer: Answer<string>;
      /** Given each time a turn takes it up; 0 before. */
      number: InstanceNumber;
    }
  | { readonly type: "release"; readonly instanceId: string; readonly answer: Answer<void> }
  | {
      readonly type: "adopt";
      readonly moved: MovedInstance;
      readonly options: AdoptOptions;
      readonly answer: Answer<void>;
      /** Given each time a turn takes it up; 0 before. */
      number: InstanceNumber;
    }
  | { readonly type: "view"; readonly instanceId: string; readonly answer: Answer<InstanceView> }
  | {
      readonly type: "deploy";
      readonly deployment: Deployment;
      readonly documents: readonly ProgramDocument[];
      readonly starts: StoredDeployment["starts"];
      readonly answer: Answer<Deployment>;
    }
  | { readonly type: "publish"; readonly publication: Publication; readonly answer: Answer<Correlated> }
  | {
      readonly type: "broadcast";
      readonly signal: Signal;
      readonly id: string | null;
      starts: ReadonlyMap<string, PreparedStart>;
      readonly answer: Answer<void>;
    }
  | {
      readonly type: "rollout";
      readonly process: string;
      readonly plan: RolloutPlan | null;
      readonly answer: Answer<Rollout | null>;
    }
  | { readonly type: "begin"; readonly begin: Begin }
  /** Somebody who waits for what is kept, and whose turn it is now. */
  | { readonly type: "match"; readonly unmatched: Unmatched }
  | { readonly type: "schedule"; readonly firing: Firing }
  /** Messages whose time is over are let go of. */
  | { readonly type: "forget" }
  | { readonly type: "slots"; readonly queue: QueueClass; readonly slots: number; readonly answer: Answer<void> }
  | { readonly type: "own"; readonly instance: InstanceNumber; readonly command: OwnCommand }
  | {
      readonly type: "deliver";
      readonly entry: OutboxEntry;
      /** Of a message or signal that an instance sends: what it may start. */
      publication?: Publication;
      starts?: ReadonlyMap<string, PreparedStart>;
    }
  /** It is listed as in quarantine since an earlier process, and is tried again. */
  | { readonly type: "acquit"; readonly instance: InstanceNumber }
  /** A job that recovery found is about to run, and needs its instance for its input. */
  | { readonly type: "load"; readonly instance: InstanceNumber };

export type CallerItem = Extract<Item, { readonly answer: unknown }>;

export function isCallerItem(item: Item): item is CallerItem {
  return "answer" in item;
}

/** First in, first out, taken in batches. */
export class Inbox {
  #items: Item[] = [];
  #next = 0;

  get size(): number {
    return this.#items.length - this.#next;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** Up to `countMax` of the oldest. */
  take(countMax: number): Item[] {
    if (this.#next === 0 && this.#items.length <= countMax) {
      const all = this.#items;
      this.#items = [];
      return all;
    }
    const taken = this.#items.slice(this.#next, this.#next + countMax);
    this.#next += taken.length;
    // Shifting the rest once per half keeps the cost of each item constant.
    if (this.#next * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#next);
      this.#next = 0;
    }
    return taken;
  }

  /** Before everything that waits. */
  putBack(items: readonly Item[]): void {
    if (items.length > 0) this.replace((waiting) => [...items, ...waiting]);
  }

  /** Takes everything out, and puts back what is given. */
  replace(choose: (items: readonly Item[]) => Item[]): void {
    this.#items = choose(this.#items.slice(this.#next));
    this.#next = 0;
  }
}
