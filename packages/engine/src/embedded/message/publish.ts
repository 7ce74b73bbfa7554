import {
  type ChannelName,
  expiresAt,
  forgottenAt,
  type JsonObject,
  type Message,
  must,
  type Rejection,
  recipientsOf,
} from "@tutti/kernel";
import type { Correlated, MessageReceiver } from "../../port.ts";
import { madeId } from "../instance-id.ts";
import type { InstanceNumber } from "../store.ts";
import type { TimelessCommand } from "../turn/inbox.ts";
import { type InTurn, isGiven, run, type Scope, type Wants, wantId, wantProgram } from "../turn/scope.ts";
import { start } from "../turn/start.ts";
import type { Numbers } from "../turn/turn.ts";
import type { Starter } from "../version/programs.ts";
import type { Candidate } from "./channels.ts";
import { channelId, kindAndChannel, type OpenSubscription } from "./coordination.ts";
import { refuseStart } from "./refusal.ts";

/** A start from outside, with the number and the id that its instance gets if it comes to that. */
export interface PreparedStart extends Starter {
  readonly process: string;
  readonly number: InstanceNumber;
  readonly instanceId: string;
}

/** A message while a turn gives it to those who wait for it. */
export interface Publication {
  readonly said: Omit<Message, "publishedAt">;
  /** Which processes it may start, by id; prepared each time a turn takes it up. */
  starts: ReadonlyMap<string, PreparedStart>;
  /** How many of those who wait are looked at. Grows while they turn out to be unable. */
  window: number;
}

/** So many more are looked at than there are messages: one that breaks over a message must not be the only one known. */
const spareWaiting = 3;

export function wantChannel(
  wants: Wants,
  channel: ChannelName,
  { kind = "message", ids = [], numbers = [], window = 1 }: ChannelNeeds = {},
): void {
  const { name, correlationKey } = channel;
  const id = kindAndChannel(kind, channel);
  let wanted = wants.channels.get(id);
  if (wanted === undefined) {
    wanted = { name, correlationKey, kind, ids: [], numbers: [], limit: spareWaiting };
    wants.channels.set(id, wanted);
  }
  wanted.ids.push(...ids);
  wanted.numbers.push(...numbers);
  wanted.limit += window;
}

interface ChannelNeeds {
  readonly kind?: "message" | "signal";
  readonly ids?: readonly string[];
  readonly numbers?: readonly number[];
  readonly window?: number;
}

export function wantPublication(scope: Scope, publication: Publication, wants: Wants): void {
  const { said, window } = publication;
  wantChannel(wants, said, { ids: said.id === null ? [] : [said.id], window });
  const routing = { routingKey: said.correlationKey, variables: said.payload };
  publication.starts = prepareStarts(scope, { kind: "message", name: said.name, ...routing }, wants);
}

interface StartNeeds {
  readonly kind: "message" | "signal";
  readonly name: string;
  /** Null: every instance goes its own way. */
  readonly routingKey: string | null;
  readonly variables: JsonObject;
  /** Where the numbers of new instances come from: the scope's before a turn is decided, then the draft's. */
  readonly numbers?: Numbers;
}

/** What a name can start, with everything that starting it needs on its way into memory. */
export function prepareStarts(scope: Scope, needs: StartNeeds, wants: Wants): ReadonlyMap<string, PreparedStart> {
  const prepared = new Map<string, PreparedStart>();
  const { numbers = scope.numbers } = needs;
  for (const process of scope.programs.startedBy(needs.kind, needs.name)) {
    const number = ++numbers.instance;
    const instanceId = madeId(process, number);
    const routing = { routingKey: needs.routingKey ?? instanceId, variables: needs.variables };
    const starter = scope.programs.starter(process, needs, routing);
    if (starter === undefined) continue;
    prepared.set(process, { ...starter, process, number, instanceId });
    wantId(scope, instanceId, wants);
    wantProgram(scope, starter.named, wants);
  }
  return prepared;
}

/** Whether a turn has to leave a message to the next one: what it would need to know is not certain now. */
export function mustWait({ scope, draft }: InTurn, publication: Publication): boolean {
  const { said, starts } = publication;
  const { channels, instances } = scope;
  if (channels.isBehind(said)) return true;
  // Whoever came to wait in this turn may have something older coming, which is looked for at its end.
  if (channels.anythingKept(draft.now) && draft.exchange.changed(said)) return true;
  if (isAnyThere(scope, starts)) return true;
  if (!channels.isCut(said, channels.candidates(said, draft, instances))) return false;
  publication.window *= 2;
  return true;
}

/** Somebody chose the very id that an instance was to get: the next number will do. */
export function isAnyThere(scope: Scope, starts: ReadonlyMap<string, PreparedStart>): boolean {
  for (const { instanceId } of starts.values()) if (isGiven(scope, instanceId)) return true;
  return false;
}

/** Gives a message to everybody who waits for it now, and remembers it as long as it counts. */
export function publish(turn: InTurn, { said, starts }: Publication): Correlated {
  const { scope, draft } = turn;
  const message: Message = { ...said, publishedAt: draft.now };
  const known = scope.channels.remembered(message, message.id);
  if (known !== undefined) {
    const receivers = draft.exchange.receivers.get(known.number) ?? known.receivers;
    return { duplicate: true, keptUntil: keptUntil(known, draft.now), instances: receivers, refused: [] };
  }
  const number = scope.channels.nextNumber();
  const parcel = { message, number, messageId: message.id ?? `message-${number}` };
  const { receivers, refused } = giveToAll(turn, parcel, starts);
  if (forgottenAt(message) > draft.now) {
    const stored = { ...message, number, kind: "message" as const, receivers };
    draft.changes.push({ type: "message-put", message: stored });
    draft.exchange.published.push(stored);
    scope.channels.remember(stored);
  }
  return { duplicate: false, keptUntil: keptUntil(message, draft.now), instances: receivers, refused };
}

function keptUntil(message: Message, now: number): number | null {
  return expiresAt(message) > now ? expiresAt(message) : null;
}

/** A message under the number and id by which it is told from all others. */
export interface Parcel {
  readonly message: Message;
  readonly number: number;
  readonly messageId: string;
}

interface Given {
  readonly receivers: readonly MessageReceiver[];
  readonly refused: Correlated["refused"];
}

function giveToAll(turn: InTurn, parcel: Parcel, starts: ReadonlyMap<string, PreparedStart>): Given {
  const { scope, draft } = turn;
  const had = new Set<string>();
  const unable = new Set<OpenSubscription>();
  const receivers: MessageReceiver[] = [];
  const refused: { process: string; reason: string }[] = [];
  for (;;) {
    const candidates = scope.channels.candidates(parcel.message, draft, scope.instances);
    const channel = {
      waiting: candidates.filter(({ subscription }) => !unable.has(subscription)),
      starts: [...starts.keys()],
      held: scope.channels.held(parcel.message, draft),
    };
    const [next] = recipientsOf(channel, parcel.message, had);
    if (next === undefined) return { receivers, refused };
    if (next.type === "start") {
      had.add(next.process);
      const { process } = next;
      const prepared = must(starts.get(process), `nothing is prepared to start '${process}'`);
      const reason = startBy(turn, parcel, prepared);
      if (reason === undefined) receivers.push({ process, instanceId: prepared.instanceId, started: true });
      else refused.push({ process, reason });
      continue;
    }
    const receiver = deliver(turn, parcel, next.waiting);
    if (receiver === undefined) unable.add(next.waiting.subscription);
    else {
      had.add(next.process);
      receivers.push(receiver);
    }
  }
}

/** Gives it to one who waits. Nobody, when that one cannot have it after all. */
export function deliver(turn: InTurn, parcel: Parcel, candidate: Candidate): MessageReceiver | undefined {
  const { scope, draft } = turn;
  const { instance, key, process } = candidate.subscription;
  const live = scope.instances.number(instance);
  if (live === undefined) return undefined;
  const { instanceId, rootId, deployment } = live.record;
  const receiver = { process, instanceId, started: false };
  const refused = run(turn, live, deliveryOf(parcel, key));
  if (refused === undefined || isCode(refused, "message-duplicate")) return receiver;
  if (isCode(refused, "instance-paused")) {
    const { message, number, messageId } = parcel;
    const to = { instanceId, key, process };
    draft.send({ instanceId, rootId, deployment }, { type: "deliver-message", to, message, number, messageId });
    draft.exchange.take(instance, key);
    draft.changes.push({ type: "subscription-taken", instance, key, taken: true });
    return receiver;
  }
  if (!(refused instanceof Error)) {
    scope.warn("a message was refused", { instanceId, key, name: parcel.message.name, reason: refused.reason });
  }
  return undefined;
}

type Delivery = Extract<TimelessCommand, { readonly type: "deliver-message" }>;

export function deliveryOf({ message, messageId }: Omit<Parcel, "number">, key: number): Delivery {
  const { name, payload } = message;
  return { type: "deliver-message", key, messageId, name, payload, actor: "message" };
}

export function isCode(refused: Rejection | Error, code: Rejection["code"]): boolean {
  return !(refused instanceof Error) && refused.code === code;
}

/** Starts an instance with a message. Gives the reason if it was refused. */
export function startBy(turn: InTurn, parcel: Parcel, prepared: PreparedStart): string | undefined {
  const { scope, draft } = turn;
  const { message, messageId } = parcel;
  const { named, number, instanceId, place } = prepared;
  const refused = start(scope, draft, {
    named,
    number,
    requestId: null,
    startedBy: message.correlationKey === null ? null : channelId(message),
    command: {
      type: "create-instance",
      instanceId,
      rootId: instanceId,
      variables: {},
      actor: "message",
      ...(message.correlationKey === null ? {} : { businessKey: message.correlationKey }),
      start: { ...place, payload: message.payload, messageId },
    },
  });
  if (refused === undefined) return undefined;
  const { name, correlationKey, id } = message;
  const cause = { cause: "message" as const, name, correlationKey, messageId: id, message: parcel.number };
  return refuseStart(turn, { process: prepared.process, named, ...cause, why: refused });
}
