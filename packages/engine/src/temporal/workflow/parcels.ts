import type { State } from "@tutti/kernel";
import type { Change } from "../../embedded/store.ts";
import type { CarriedParcels, CommandAnswer } from "../contract.ts";
import type { Parcel, ParcelAnswer } from "../message/contract.ts";
import { noNumber } from "./changes.ts";

/** A broker asks again within seconds. */
const answersMax = 200;

export interface ParcelsMark {
  readonly kept: readonly Parcel[];
  readonly taken: readonly string[];
}

/** What a paused instance keeps. More is refused: a message stays with its broker then. */
export const keptMax = 1_000;

/** What brokers have brought to an instance: each counts once, and what comes while it is paused is kept for later. */
export class Parcels {
  readonly #answers: Map<string, Promise<ParcelAnswer>> = new Map();
  readonly #answered: Map<string, ParcelAnswer> = new Map();
  #kept: Parcel[];
  /** Of messages that were kept: their subscriptions are taken in the tables. */
  #taken: Set<string> = new Set();

  constructor({ answers, kept }: CarriedParcels = { answers: [], kept: [] }) {
    for (const [id, answer] of answers) this.#note(id, answer);
    this.#kept = [...kept];
    for (const { id, message } of kept) if (message !== undefined) this.#taken.add(id);
  }

  /** The answer to a parcel; `decide` is called with the first of an id alone. */
  once({ id }: Parcel, decide: (answer: (answer: CommandAnswer) => void) => void): Promise<ParcelAnswer> {
    const earlier = this.#answers.get(id);
    if (earlier !== undefined) return earlier;
    const answered = new Promise<CommandAnswer>(decide).then((answer) => {
      const said = answerOf(answer);
      this.#note(id, said);
      return said;
    });
    this.#answers.set(id, answered);
    return answered;
  }

  /**
   * The instance is paused. Gives what that changes: who waits there has its message. Undefined: there is no room for
   * it.
   */
  keep(parcel: Parcel): Change[] | undefined {
    const { id, command, message } = parcel;
    if (this.#kept.length >= keptMax) return undefined;
    this.#kept.push(parcel);
    if (message === undefined || this.#taken.has(id)) return [];
    this.#taken.add(id);
    return [...received(parcel), { type: "subscription-taken", instance: noNumber, key: command.key, taken: true }];
  }

  isKept(parcel: Parcel): boolean {
    return this.#kept.includes(parcel);
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  /** Those that were kept, for the instance that is not paused any more. */
  open(): readonly Parcel[] {
    return this.#kept.splice(0);
  }

  /** The instance has taken it. Gives what that changes: one that goes on waiting there may be given the next. */
  take(parcel: Parcel, state: State): Change[] {
    const { key } = parcel.command;
    if (!this.#taken.delete(parcel.id)) return received(parcel);
    if (state.subscriptions.get(key) === undefined) return [];
    return [{ type: "subscription-taken", instance: noNumber, key, taken: false }];
  }

  /** What a turn changes here can be taken back. */
  mark(): ParcelsMark {
    return { kept: [...this.#kept], taken: [...this.#taken] };
  }

  reset({ kept, taken }: ParcelsMark): void {
    this.#kept = [...kept];
    this.#taken = new Set(taken);
  }

  carried(): CarriedParcels {
    return { answers: [...this.#answered], kept: this.#kept };
  }

  #note(id: string, answer: ParcelAnswer): void {
    this.#answered.set(id, answer);
    this.#answers.set(id, Promise.resolve(answer));
    if (this.#answered.size <= answersMax) return;
    const [oldest = ""] = this.#answered.keys();
    this.#answered.delete(oldest);
    this.#answers.delete(oldest);
  }
}

function received({ message }: Parcel): Change[] {
  if (message?.receivers === undefined) return [];
  return [{ type: "message-received", number: message.number, receivers: message.receivers }];
}

function answerOf(answer: CommandAnswer): ParcelAnswer {
  if (answer.ok || answer.rejection.code === "message-duplicate") return "had";
  return answer.rejection.code === "instance-paused" ? "kept" : "refused";
}
