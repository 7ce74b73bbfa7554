import type { ChannelName } from "@tutti/kernel";
import type { Item } from "../turn/inbox.ts";
import type { InTurn, Scope, Wants } from "../turn/scope.ts";
import type { Draft } from "../turn/turn.ts";
import { wantChannel } from "./publish.ts";

/** A process that has come to begin with a message of this name: what is kept may start it. */
export interface Begin {
  readonly process: string;
  readonly name: string;
  /** Where something is kept for it; read when a turn takes it up first, and what is left of it then. */
  channels?: readonly ChannelName[];
  /** Nothing of this name is published before the last channel had its turn. */
  readonly goesOn: boolean;
}

type BeginItem = Extract<Item, { readonly type: "begin" }>;

/** So many channels in one turn. */
const channelsPerTurnMax = 1_000;

/** Another version of a process gets the new instances: it may begin with other messages, or with what was refused. */
export function beginAnew({ draft }: InTurn, process: string): void {
  if (draft.began.has(process)) return;
  draft.began.add(process);
  draft.changes.push({ type: "refusals-retry", process });
}

export function wantBegin(_scope: Scope, { begin }: BeginItem, wants: Wants): void {
  for (const channel of begin.channels?.slice(0, channelsPerTurnMax) ?? []) wantChannel(wants, channel);
}

export function takeBegin(scope: Scope, draft: Draft, { begin }: BeginItem): void {
  const { process, name, channels = [], goesOn } = begin;
  if (goesOn) scope.channels.waited(name);
  for (const channel of channels.slice(0, channelsPerTurnMax)) draft.exchange.named.push({ ...channel, process });
  const rest = channels.slice(channelsPerTurnMax);
  if (rest.length === 0) return;
  scope.channels.wait(name);
  draft.begins.push({ process, name, channels: rest, goesOn: true });
}
