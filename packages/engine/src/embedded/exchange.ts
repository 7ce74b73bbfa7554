import type { ChannelName, Key } from "@tutti/kernel";
import type { MessageReceiver } from "../port.ts";
import { sameChannel } from "./channels.ts";
import { channelNamed, type OpenSubscription, type StoredMessage, type Unmatched } from "./coordination.ts";
import type { InstanceNumber } from "./store.ts";

/** Whether a channel has an open instance of a process that it started; of several entries the last one counts. */
export interface HolderChange {
  readonly channel: string;
  readonly process: string;
  readonly held: boolean;
}

/** What the commands of one turn mean for messages. Nearly every turn leaves all of it empty. */
export class Exchange {
  /** Subscriptions to messages that were opened; some are closed again. */
  readonly opened: OpenSubscription[] = [];
  readonly holders: HolderChange[] = [];
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
    return this.opened.length + this.holders.length + this.named.length === 0;
  }

  /** Whether somebody came to wait there, or is about to. */
  changed(channel: ChannelName): boolean {
    return (
      this.opened.some((each) => sameChannel(each, channel)) ||
      this.holders.some((each) => sameChannel(channelNamed(each.channel), channel)) ||
      this.named.some((each) => sameChannel(each, channel))
    );
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
    const waiting = this.opened[this.#matchedOpened];
    if (waiting !== undefined) {
      this.#matchedOpened++;
      const { name, correlationKey, process } = waiting;
      return { name, correlationKey, process, waiting };
    }
    for (let change = this.holders[this.#matchedHolders]; change; change = this.holders[this.#matchedHolders]) {
      this.#matchedHolders++;
      if (!change.held) return { ...channelNamed(change.channel), process: change.process };
    }
    return undefined;
  }
}
