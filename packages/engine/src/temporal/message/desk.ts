import { type ChannelName, forgottenAt, recipientsOf } from "@tutti/kernel";
import type { Clock } from "../../clock.ts";
import { channelId, channelNamed, type StoredMessage, waitingOf } from "../../embedded/message/coordination.ts";
import { everyRow } from "../../embedded/read/every-row.ts";
import type { SharedLog } from "../../embedded/shared-log.ts";
import type { Change } from "../../embedded/store.ts";
import type { MessageReceiver } from "../../port.ts";
import type { Projection } from "../contract.ts";
import type { Courier } from "../courier.ts";
import type { Definitions } from "../definitions.ts";
import type {
  BrokerActivities,
  ChannelAsked,
  ChannelView,
  Due,
  Given,
  Receiver,
  ReceiverName,
  SignalView,
  Spread,
  StartAsked,
  Started,
  WaitingPlace,
} from "./contract.ts";
import { type Content, Deliveries } from "./deliveries.ts";
import { Starts } from "./starts.ts";

export interface DeskOptions {
  readonly log: SharedLog;
  readonly write: (changes: readonly Change[]) => Promise<void>;
  readonly definitions: Definitions;
  readonly courier: Courier;
  readonly clock: Clock;
}

/** Of each process so many who wait are looked at: the first that can take a message gets it. */
const waitingMax = 8;
/** Instances that a signal is brought to in one activity, and at once. */
const spreadMax = 64;
/** Numbers that are looked at for one that no other message has. */
const numbersTriedMax = 1_000;
/** Brokers that are woken at once. */
const wokenAtOnceMax = 16;

/** What brokers do outside of their workflows. Whatever is done here may be done again: it counts once. */
export class Desk implements BrokerActivities {
  readonly #options: DeskOptions;
  readonly #deliveries: Deliveries;
  readonly #starts: Starts;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#deliveries = new Deliveries(options);
    this.#starts = new Starts(options);
  }

  async readChannel({ name, correlationKey, id, unable, passed }: ChannelAsked): Promise<ChannelView> {
    const { log, definitions, clock } = this.#options;
    await definitions.look();
    const now = clock.now();
    const channel = { name, correlationKey };
    const ids = id === null ? [] : [id];
    const limit = waitingMax + unable.length;
    const [rows] = await log.channels([{ ...channel, kind: "message", ids, numbers: [], limit }]);
    const waiting = (rows?.waiting ?? [])
      .map((subscription): WaitingPlace => ({ ...waitingOf(subscription), instance: subscription.instance }))
      .filter((place) => !unable.some(({ instance, key }) => place.instance === instance && place.key === key));
    const held = rows?.held ?? [];
    const starts = definitions.programs.startedBy("message", name);
    const known = rows?.remembered.find((each) => forgottenAt(each) > now) ?? null;
    const due: Due[] = [];
    for (const recipient of recipientsOf({ waiting, starts, held: new Set(held) }, channel, new Set())) {
      const { process, type } = recipient;
      const wanted = { ...channel, process, now, after: passed[process] ?? 0, limit: 1, toStart: type === "start" };
      const [oldest] = await log.queued(wanted);
      if (oldest !== undefined) due.push({ recipient, number: oldest.number, id: oldest.id });
    }
    return { now, known: known === null ? null : shown(known), waiting, starts, held, due };
  }

  async giveTo(given: Given, place: WaitingPlace): Promise<MessageReceiver | null> {
    const content = await this.#contentOf(given);
    return content === undefined ? null : this.#deliveries.message(given, content, place);
  }

  async start(asked: StartAsked): Promise<Started> {
    const content = await this.#contentOf(asked);
    return content === undefined ? null : this.#starts.start(asked, content);
  }

  async remember(message: StoredMessage): Promise<number> {
    const { write, clock } = this.#options;
    for (let { number } = message, tried = 0; tried < numbersTriedMax; number++, tried++) {
      const other = await this.#numbered(number);
      if (other === undefined) {
        const forget = { type: "messages-forget", until: clock.now() } as const;
        // Rejects where somebody has taken the number meanwhile: it is tried again.
        await write([forget, { type: "message-put", message: { ...message, number } }]);
        return number;
      }
      // It was written before, and nobody heard of it: this channel has given this number to no other.
      if (channelId(other) === channelId(message) && other.kind === message.kind) return number;
    }
    throw new Error(`Expected a free number within ${numbersTriedMax}, but there is none.`);
  }

  async findReceiver(number: number, receiver: ReceiverName): Promise<Receiver> {
    const message = await this.#numbered(number);
    if (message === undefined) return "unknown";
    return message.receivers.some((each) => isSame(each, receiver)) ? "this-one" : "another";
  }

  async takeBack(number: number, receiver: ReceiverName): Promise<void> {
    const message = await this.#numbered(number);
    if (message === undefined) return;
    const receivers = message.receivers.filter((each) => !isSame(each, receiver));
    await this.#options.write([{ type: "message-received", number, receivers }]);
  }

  async readSignal(name: string, id: string | null): Promise<SignalView> {
    const { log, definitions, clock } = this.#options;
    await definitions.look();
    const now = clock.now();
    const ids = id === null ? [] : [id];
    const [rows] = await log.channels([{ name, correlationKey: null, kind: "signal", ids, numbers: [], limit: 0 }]);
    const isKnown = rows?.remembered.some((each) => forgottenAt(each) > now) ?? false;
    return {
      now,
      isKnown,
      position: (await log.news()).position,
      starts: definitions.programs.startedBy("signal", name),
    };
  }

  async spread(name: string, spread: Spread): Promise<Spread["after"] | null> {
    const { openAt, after, sender } = spread;
    const waiting = await this.#options.log.signalled({ name, openAt, after, limit: spreadMax });
    const ids = await this.#options.log.instanceIds(waiting.map(({ instance }) => instance));
    await Promise.all(
      [...Map.groupBy(waiting, ({ instance }) => instance)].map(async ([instance, inIt]) => {
        const instanceId = ids.get(instance);
        // Who waited in the instance that sent it got it as it was sent.
        if (instanceId === undefined || instanceId === sender?.instanceId) return;
        // One instance has it in the order in which it came to wait.
        for (const { key } of inIt) await this.#deliveries.signal({ name, ...spread }, { instanceId, key });
      }),
    );
    const last = waiting.at(-1);
    return last === undefined || waiting.length < spreadMax ? null : { instance: last.instance, key: last.key };
  }

  /** Once rows are in the log: brokers of those who have come to wait for something that is kept are told. */
  async wake({ instanceId, rows, beside }: Projection): Promise<void> {
    const channels: ChannelName[] = [];
    for (const change of [...rows.flatMap((row) => row.changes), ...(beside?.changes ?? [])]) {
      if (change.type === "subscription-put" && change.subscription.kind === "message") {
        const { name, correlationKey, process } = change.subscription;
        if (await this.#isKept({ name, correlationKey }, process, false)) channels.push({ name, correlationKey });
      } else if (change.type === "subscription-taken" && !change.taken) {
        channels.push(...(await this.#channelAt(instanceId, change.key)));
      } else if (change.type === "holder-delete") {
        const channel = channelNamed(change.channel);
        if (await this.#isKept(channel, change.process, true)) channels.push(channel);
      }
    }
    await this.#tell(channels);
  }

  /** Processes have got another version: it may begin with other messages, or with what was refused. */
  async beginAnew(processes: readonly string[]): Promise<void> {
    await this.#options.write(processes.map((process) => ({ type: "refusals-retry", process })));
    await this.#wakeFor(processes);
  }

  async #wakeFor(processes: Iterable<string>): Promise<void> {
    const { log, definitions, clock } = this.#options;
    const now = clock.now();
    const channels: ChannelName[] = [];
    for (const process of processes) {
      for (const name of definitions.programs.messagesOf(process))
        channels.push(...(await log.beginning({ process, name, now })));
    }
    await this.#tell(channels);
  }

  /** What the end of a process kept from being told. */
  async recover(): Promise<void> {
    const { log, definitions, clock } = this.#options;
    await this.#tell(await log.unmatched(clock.now()));
    await this.#wakeFor(definitions.programs.processes);
  }

  async #tell(channels: readonly ChannelName[]): Promise<void> {
    const byId = new Map(
      channels.map(({ name, correlationKey }) => [channelId({ name, correlationKey }), { name, correlationKey }]),
    );
    const all = [...byId.values()];
    for (let next = 0; next < all.length; next += wokenAtOnceMax) {
      const some = all.slice(next, next + wokenAtOnceMax);
      await Promise.all(
        some.map((channel) => this.#options.courier.post({ kind: "message", ...channel }, { type: "match" })),
      );
    }
  }

  async #isKept(channel: ChannelName, process: string, toStart: boolean): Promise<boolean> {
    const { log, clock } = this.#options;
    return (await log.queued({ ...channel, process, now: clock.now(), after: 0, limit: 1, toStart })).length > 0;
  }

  async #channelAt(instanceId: string, key: number): Promise<ChannelName[]> {
    const { log } = this.#options;
    for await (const row of everyRow((page) => log.listSubscriptions({ instanceId }, page))) {
      if (row.key === key && row.kind === "message") return [row];
    }
    return [];
  }

  /** Undefined: it has been forgotten meanwhile. */
  async #contentOf({ payload, number }: Given): Promise<Content | undefined> {
    return payload === undefined ? this.#numbered(number) : { payload };
  }

  async #numbered(number: number): Promise<StoredMessage | undefined> {
    const nowhere = { name: "", correlationKey: null, kind: "message", ids: [], limit: 0 } as const;
    const [rows] = await this.#options.log.channels([{ ...nowhere, ids: [], numbers: [number] }]);
    return rows?.remembered[0];
  }
}

/** As a worker wants them. */
export function brokerActivities(desk: Desk): BrokerActivities {
  return {
    readChannel: (asked) => desk.readChannel(asked),
    giveTo: (...asked) => desk.giveTo(...asked),
    start: (asked) => desk.start(asked),
    remember: (message) => desk.remember(message),
    findReceiver: (...asked) => desk.findReceiver(...asked),
    takeBack: (...asked) => desk.takeBack(...asked),
    readSignal: (...asked) => desk.readSignal(...asked),
    spread: (...asked) => desk.spread(...asked),
  };
}

function isSame(a: ReceiverName, b: ReceiverName): boolean {
  return a.process === b.process && a.instanceId === b.instanceId;
}

function shown({ publishedAt, ttlMs, receivers }: StoredMessage): ChannelView["known"] {
  return { publishedAt, ttlMs, receivers };
}
