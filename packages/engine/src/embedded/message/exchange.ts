import type { ChannelName, Key } from "@tutti/kernel";
import type { MessageReceiver } from "../../port.ts";
import type { InstanceNumber } from "../store.ts";
import { sameChannel } from "./channels.ts";
import { channelId, channelNamed, type OpenSubscription, type StoredMessage, type Unmatched } from "./coordination.ts";

/** Whether a channel has an open instance of a process that it started; of several entries the last one counts. */
export interface HolderChange {
  readonly channel: string;
  readonly process: string;
  readonly held: boolean;
}

/** What happened on one channel. */
interface News {
  readonly opened: OpenSubscription[];
  /** By process, as it is now. */
  readonly held: Map<string, boolean>;
}

const noNews: { readonly opened: readonly OpenSubscription[]; readonly held: ReadonlyMap<string, boolean> } = {
  opened: [],
  held: new Map(),
};

/** How much there was: what came after it can be taken back. */
export interface ExchangeMark {
  readonly opened: number;
  readonly holders: number;
}

/** Every command asks for one: nearly all get this. */
const nothingYet: ExchangeMark = { opened: 0, holders: 0 };

/** What the commands of one turn mean for messages. Nearly every turn leaves all of it empty. */
export class Exchange {
  readonly #opened: OpenSubscription[] = [];
  readonly #holders: HolderChange[] = [];
  /** By `channelId`; made when first asked for. */
  #news: Map<string, News> | undefined;
  /** Those that were published and are remembered. */
  readonly published: StoredMessage[] = [];
  /** Who has had a message, of those that got further in this turn. */
  readonly receivers: Map<number, readonly MessageReceiver[]> = new Map();
  /** Named for this turn by an earlier one. */
  readonly named: Unmatched[] = [];
  readonly #taken: Set<string> = new Set();
  #matchedOpened = 0;
  #matchedHolders = 0;
  #matchedNamed = 0;

  get isIdle(): boolean {
    return this.#opened.length + this.#holders.length + this.named.length === 0;
  }

  /** A subscription to a message was opened. It may be closed again since. */
  open(subscription: OpenSubscription): void {
    this.#opened.push(subscription);
    if (this.#news !== undefined) newsAt(this.#news, channelId(subscription)).opened.push(subscription);
  }

  hold(change: HolderChange): void {
    this.#holders.push(change);
    if (this.#news !== undefined) newsAt(this.#news, change.channel).held.set(change.process, change.held);
  }

  mark(): ExchangeMark {
    const [opened, holders] = [this.#opened.length, this.#holders.length];
    return opened + holders === 0 ? nothingYet : { opened, holders };
  }

  undo(mark: ExchangeMark): void {
    this.#opened.length = mark.opened;
    this.#holders.length = mark.holders;
    this.#news = undefined;
  }

  news(channel: ChannelName): typeof noNews {
    if (this.#opened.length + this.#holders.length === 0) return noNews;
    if (this.#news === undefined) {
      this.#news = new Map();
      for (const each of this.#opened) newsAt(this.#news, channelId(each)).opened.push(each);
      for (const each of this.#holders) newsAt(this.#news, each.channel).held.set(each.process, each.held);
    }
    return this.#news.get(channelId(channel)) ?? noNews;
  }

  /** Whether somebody came to wait there, or is about to. */
  changed(channel: ChannelName): boolean {
    return this.news(channel) !== noNews || this.named.some((each) => sameChannel(each, channel));
  }

  take(instance: InstanceNumber, key: Key): void {
    this.#taken.add(`${instance}.${key}`);
  }

  isTaken({ instance, key }: Pick<OpenSubscription, "instance" | "key">): boolean {
    return this.#taken.has(`${instance}.${key}`);
  }

  /** The next of those who came to wait in this turn, each once; matching may add to them. */
  nextUnmatched(): Unmatched | undefined {
    const named = this.named[this.#matchedNamed];
    if (named !== undefined) {
      this.#matchedNamed++;
      return named;
    }
    const waiting = this.#opened[this.#matchedOpened];
    if (waiting !== undefined) {
      this.#matchedOpened++;
      const { name, correlationKey, process } = waiting;
      return { name, correlationKey, process, waiting };
    }
    for (let change = this.#holders[this.#matchedHolders]; change; change = this.#holders[this.#matchedHolders]) {
      this.#matchedHolders++;
      if (!change.held) return { ...channelNamed(change.channel), process: change.process };
    }
    return undefined;
  }
}

function newsAt(all: Map<string, News>, channel: string): News {
  let news = all.get(channel);
  if (news === undefined) {
    news = { opened: [], held: new Map() };
    all.set(channel, news);
  }
  return news;
}
