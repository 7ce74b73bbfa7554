import { type InstanceView, isEnded, queueClasses, staysOpen, type WaitingView } from "@tutti/kernel";
import { channelId, channelNamed } from "../embedded/message/coordination.ts";
import type { InstanceCommand } from "../port.ts";
import type { Ledger } from "./ledger.ts";
import type { Session } from "./session.ts";
import { explain } from "./session.ts";
import { checkTables } from "./tables.ts";

const actor = "simulation";
const reason = "the end";
/** Enough for the longest chains of random programs; those who need more wait for something that never comes. */
const roundsMax = 40;
const retryRounds = 4;
/** After them nobody is told anything: what a message begins each time it comes would never come to an end. */
const toldRounds = 30;
/** Messages on one channel in one round: whoever gets one may begin others who wait for one too. */
const toldMax = 100;
const roundMs = 30_000;
/** More than all jumps of the clock together. */
const setBackMs = 2_000_000;

/**
 * Nothing goes wrong any more and everybody works: every instance must come to an end, or say what it waits for that
 * only a person can give. Then all are cancelled, and nothing may be left.
 */
export async function checkEnding(session: Session): Promise<void> {
  const { ledger, medium } = session;
  medium.heal();
  await session.ensureOpen();
  // Every schedule has a crash: at least this one, of a whole world at rest.
  if (!session.counts.has("crashes")) session.life.die("anywhere");
  await session.ensureOpen();
  // A life that has its death before it ends now; the next one may come with such a plan too.
  while (session.life.plan !== undefined && ledger.violation === undefined) {
    session.life.die("anywhere");
    await session.ensureOpen();
  }
  await recover(session);
  for (let round = 0; round < roundsMax && ledger.violation === undefined; round++) {
    const open = await viewsOf(session);
    if (open.length === 0) break;
    for (const view of open) for (const command of wayOn(view, round)) send(session, view.instanceId, command);
    if (round < toldRounds) tellThoseWhoWait(session);
    await session.clock.advance(roundMs);
  }
  if (session.store !== undefined) {
    await ledger.post.checkAtRest(session.store, session.clock.now());
    const refusals = await session.store.listRefusals({}, { limit: 1_000_000 });
    session.count("refused starts", refusals.rows.length);
  }
  const behind = new Set([...waitsOf(ledger)].filter(({ isBehind }) => isBehind).map(({ instanceId }) => instanceId));
  for (const view of await viewsOf(session)) checkExplained(session, view, behind.has(view.instanceId));
  await cancelAll(session);
  await checkNothingLeft(session);
}

async function recover(session: Session): Promise<void> {
  const { crew, engine } = session;
  if (engine === undefined) return;
  crew.diligent = true;
  crew.finishAll();
  // The store may still be about to be tried again, by a clock that was set back since.
  await session.clock.advance(setBackMs);
  crew.hireAll(engine);
  for (const queue of queueClasses) session.ask("adjustQueue", engine.adjustQueue(queue, 50));
  await session.settle();
}

async function viewsOf(session: Session): Promise<InstanceView[]> {
  const views: InstanceView[] = [];
  const { engine, ledger } = session;
  for (const { instanceId, state } of ledger.shadows.values()) {
    if (isEnded(state) || engine === undefined) continue;
    engine.instance(instanceId).then(
      (view) => views.push(view),
      (error: unknown) => ledger.check(false, () => `'${instanceId}' cannot be looked at: ${explain(error)}`),
    );
  }
  await session.settle();
  return views;
}

/** What nobody sent in all that time is sent now: signals once, messages to each of those who wait in one line. */
function tellThoseWhoWait(session: Session): void {
  const { engine, ledger } = session;
  if (engine === undefined) return;
  const variables = { flag: false, n: 1 };
  const signals = new Set([...waitsOf(ledger)].filter(({ kind }) => kind === "signal").map(({ name }) => name));
  for (const name of signals) session.ask("broadcast", engine.broadcast({ name, variables }));
  for (const [channel, length] of longestLines(ledger)) {
    const { name, correlationKey } = channelNamed(channel);
    const key = correlationKey === null ? {} : { correlationKey };
    for (let left = Math.min(length, toldMax); left > 0; left--) {
      session.ask("publish", engine.publish({ name, ...key, variables }));
    }
  }
}

interface Wait {
  readonly instanceId: string;
  readonly process: string;
  readonly kind: "message" | "signal";
  readonly name: string;
  /** Of its channel. */
  readonly channel: string;
  /** An older one of its process gets each message of the channel, and stays open. */
  readonly isBehind: boolean;
}

function* waitsOf(ledger: Ledger): Iterable<Wait> {
  const blocked = new Set<string>();
  const oldestFirst = [...ledger.shadows.values()].sort((a, b) => a.number - b.number);
  for (const { instanceId, program, state } of oldestFirst) {
    const process = program.document.id;
    for (const subscription of [...state.subscriptions.values()].sort((a, b) => a.key - b.key)) {
      const { kind, name, element } = subscription;
      if (kind !== "message" && kind !== "signal") continue;
      const channel = channelId(subscription);
      const line = `${kind} ${process} ${channel}`;
      yield { instanceId, process, kind, name, channel, isBehind: kind === "message" && blocked.has(line) };
      const waits = program.elements.get(element);
      if (waits !== undefined && staysOpen(waits)) blocked.add(line);
    }
  }
}

/** Of each channel how many messages it takes until all have one: a message goes to one instance of each process. */
function longestLines(ledger: Ledger): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const longest = new Map<string, number>();
  for (const { kind, process, channel, isBehind } of waitsOf(ledger)) {
    if (kind !== "message" || isBehind) continue;
    const line = `${process} ${channel}`;
    const length = (lines.get(line) ?? 0) + 1;
    lines.set(line, length);
    longest.set(channel, Math.max(longest.get(channel) ?? 0, length));
  }
  return longest;
}

function send(session: Session, instanceId: string, command: InstanceCommand): void {
  const { engine } = session;
  if (engine !== undefined) session.ask(`${command.type} to ${instanceId}`, engine.command(instanceId, command));
}

/** What a person would do about whatever an instance waits for. */
function wayOn(view: InstanceView, round: number): InstanceCommand[] {
  const commands: InstanceCommand[] = [];
  if (view.status === "paused") commands.push({ type: "resume-instance", actor });
  for (const { on, key } of view.waiting) {
    if (key === null) continue;
    if (on === "choice") commands.push({ type: "activate-elements", key, elements: [], complete: true, actor });
    if (on !== "task") continue;
    // Somebody else may have it, or have lent it.
    commands.push({ type: "reassign-task", key, to: actor, reason, actor, authority: true });
    // Its policy may refuse what comes late.
    commands.push({ type: "update-task", key, dueAt: null, actor });
    commands.push({ type: "complete-task", key, result: { flag: false, n: 1 }, actor });
  }
  if (round >= retryRounds) return commands;
  for (const { key, kind } of view.incidents) {
    const action = kind === "items-failed" && round % 2 === 1 ? "accept" : "retry";
    commands.push({ type: "resolve-incident", key, action, reason, actor });
  }
  return commands;
}

/** Only a person's decision, or a token that never comes to an unsound join, is reason enough to be still there. */
const reasons: ReadonlySet<WaitingView["on"]> = new Set(["incident", "join", "child", "condition"]);
const never: ReadonlySet<WaitingView["on"]> = new Set(["job", "timer", "task", "pause"]);

function checkExplained(session: Session, view: InstanceView, isBehind: boolean): void {
  const { ledger } = session;
  const kinds = view.waiting.map(({ on }) => on);
  session.count(`explained waits`);
  const stuck = (): string => `'${view.instanceId}' is ${view.status} and waits for ${JSON.stringify(view.waiting)}`;
  ledger.check(isBehind || kinds.some((on) => reasons.has(on)), stuck);
  // Beside an incident its boundary timers go on.
  ledger.check(!kinds.some((on) => never.has(on)), stuck);
}

/** Those, too, that begin when another ends: a message that is kept starts one of a process and key at a time. */
async function cancelAll(session: Session): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    const open = [...session.ledger.shadows.values()].filter(({ state }) => !isEnded(state));
    if (open.length === 0) return;
    for (const { instanceId, state } of open) {
      if (state.head.parent === null) send(session, instanceId, { type: "cancel-instance", reason, actor });
    }
    await session.clock.advance(roundMs);
  }
}

async function checkNothingLeft(session: Session): Promise<void> {
  const { ledger, store, crew, follower, medium, life } = session;
  if (ledger.violation !== undefined) return;
  for (const { instanceId, state } of ledger.shadows.values()) {
    ledger.check(isEnded(state), () => `'${instanceId}' is still there after everything was cancelled`);
  }
  if (store === undefined) return;
  await checkTables(store, ledger);
  for (let before = -1; before < follower.events; ) {
    before = follower.events;
    await session.settle();
  }
  ledger.check((await store.outbox()).length === 0, "the outbox is not empty at the end");
  ledger.check(crew.busy().length === 0, () => `somebody still works at ${crew.busy().join()}`);
  ledger.check(follower.position === ledger.rows.length, () => {
    return `the follower stands at ${follower.position} of ${ledger.rows.length} rows`;
  });
  ledger.check(!life.dead, "the process died although nothing went wrong");
  try {
    await medium.verify();
  } catch (error) {
    ledger.check(false, `the log does not verify: ${explain(error)}`);
  }
  for (const [requestId, instanceId] of session.requests) {
    if (instanceId === undefined) continue;
    ledger.check(ledger.byId.has(instanceId), () => `'${instanceId}' of ${requestId} is lost`);
  }
}
