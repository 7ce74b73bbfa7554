import { AppError, type Host, nextFiring, type StartTrigger } from "@tutti/kernel";
import type { Clock } from "../../clock.ts";
import { madeId } from "../instance-id.ts";
import type { StoredSchedule } from "../message/coordination.ts";
import { refuseStart } from "../message/refusal.ts";
import type { Change } from "../store.ts";
import { type InTurn, isGiven, type Scope, type Wants, wantId, wantProgram } from "../turn/scope.ts";
import { start } from "../turn/start.ts";
import { Alarm } from "./alarm.ts";

type Place = Pick<StoredSchedule, "process" | "element" | "trigger">;

/** When processes with timer start events begin next. There are as many as such events are deployed: few. */
export class Schedules {
  readonly #clock: Clock;
  readonly #due: (schedule: StoredSchedule) => void;
  readonly #alarm: Alarm;
  readonly #all: Map<string, { readonly schedule: StoredSchedule; sent: boolean }> = new Map();

  /** `due` sends it to a turn; it is sent once. */
  constructor(clock: Clock, due: (schedule: StoredSchedule) => void) {
    this.#clock = clock;
    this.#due = due;
    this.#alarm = new Alarm(clock, () => this.fire());
  }

  reset(schedules: readonly StoredSchedule[]): void {
    this.stop();
    this.#all.clear();
    for (const schedule of schedules) this.#all.set(placeOf(schedule), { schedule, sent: false });
  }

  of(process: string): StoredSchedule[] {
    return [...this.#all.values()].map(({ schedule }) => schedule).filter((each) => each.process === process);
  }

  get(place: Place): StoredSchedule | undefined {
    return this.#all.get(placeOf(place))?.schedule;
  }

  put(schedule: StoredSchedule): void {
    this.#all.set(placeOf(schedule), { schedule, sent: false });
    this.#alarm.wakeAt(schedule.due);
  }

  delete(place: Place): void {
    this.#all.delete(placeOf(place));
  }

  fire(): void {
    const now = this.#clock.now();
    for (const each of this.#all.values()) {
      if (each.sent) continue;
      if (each.schedule.due > now) this.#alarm.wakeAt(each.schedule.due);
      else {
        each.sent = true;
        this.#due(each.schedule);
      }
    }
  }

  stop(): void {
    this.#alarm.stop();
  }
}

export function placeOf({ process, element, trigger = 0 }: Place): string {
  return JSON.stringify([process, element, trigger]);
}

export interface DeployedStarts {
  readonly process: string;
  readonly hash: string;
  readonly starts: readonly StartTrigger[];
}

/**
 * The schedules of processes from now on, in place of those they had; what has not changed goes on as it was. Throws
 * before anything is changed when an instant cannot be computed.
 */
export function renewSchedules(turn: InTurn, deployed: readonly DeployedStarts[]): void {
  const fresh = deployed.flatMap((each) => freshSchedules(turn, each));
  for (const { process, hash } of deployed) {
    for (const schedule of schedulesOf(turn, process)) if (schedule.hash !== hash) drop(turn, schedule);
  }
  for (const schedule of fresh) put(turn, schedule);
}

function freshSchedules(turn: InTurn, deployed: DeployedStarts): StoredSchedule[] {
  const { host } = turn.scope;
  return freshOf(deployed, schedulesOf(turn, deployed.process), { host, now: turn.draft.now });
}

/** Those that a deployment adds to what is there of its process. Throws `program-invalid`. */
function freshOf(
  { process, hash, starts }: DeployedStarts,
  before: readonly StoredSchedule[],
  { host, now }: { readonly host: Pick<Host, "nextDue">; readonly now: number },
): StoredSchedule[] {
  const kept = new Set(before.flatMap((each) => (each.hash === hash ? [placeOf(each)] : [])));
  return starts.flatMap((start) => {
    if (start.kind !== "timer") return [];
    const { kind: _kind, ...trigger } = start;
    if (kept.has(placeOf({ process, ...trigger }))) return [];
    const first = host.nextDue(trigger.timer, trigger.value, now);
    if (!first.ok) throw unscheduled(process, trigger.element, first.message);
    return [{ process, hash, ...trigger, due: first.due, remaining: first.remaining }];
  });
}

/** What a deployment changes of all the schedules that there are. Throws `program-invalid`. */
export function renewedSchedules(
  all: readonly StoredSchedule[],
  deployed: readonly DeployedStarts[],
  at: { readonly host: Pick<Host, "nextDue">; readonly now: number },
): Change[] {
  return deployed.flatMap((each) => {
    const before = all.filter(({ process }) => process === each.process);
    const gone = before.filter(({ hash }) => hash !== each.hash).map(scheduleGone);
    const fresh = freshOf(each, before, at).map((schedule) => ({ type: "schedule-put", schedule }) as const);
    return [...gone, ...fresh];
  });
}

export function scheduleGone({ process, element, trigger = 0 }: Place): Change {
  return { type: "schedule-delete", process, element, trigger };
}

function unscheduled(process: string, element: string, why: string): AppError {
  return new AppError("program-invalid", `Expected '${element}' to say when '${process}' starts, but ${why}.`);
}

/** As they are at this point of the turn: what it did before counts, though nothing of it is durable yet. */
function schedulesOf({ scope, draft }: InTurn, process: string): StoredSchedule[] {
  const here = [...draft.schedules.values()].flatMap((each) => (each?.process === process ? [each] : []));
  return [...scope.schedules.of(process).filter((each) => !draft.schedules.has(placeOf(each))), ...here];
}

function scheduleAt({ scope, draft }: InTurn, place: Place): StoredSchedule | undefined {
  const name = placeOf(place);
  return draft.schedules.has(name) ? draft.schedules.get(name) : scope.schedules.get(place);
}

function put({ scope, draft }: InTurn, schedule: StoredSchedule): void {
  draft.schedules.set(placeOf(schedule), schedule);
  draft.changes.push({ type: "schedule-put", schedule });
  draft.answers.push(() => scope.schedules.put(schedule));
}

function drop({ scope, draft }: InTurn, place: Place): void {
  draft.schedules.set(placeOf(place), undefined);
  draft.changes.push(scheduleGone(place));
  draft.answers.push(() => scope.schedules.delete(place));
}

/** The same due instant starts once, whatever crashes between. */
export function requestIdOf({ process, element, trigger = 0, due }: StoredSchedule): string {
  return `schedule/${process}/${element}.${trigger}/${due}`;
}

export interface Firing {
  readonly schedule: StoredSchedule;
  /** Given each time a turn takes it up; 0 before. */
  number: number;
}

export function wantFiring(scope: Scope, firing: Firing, wants: Wants): void {
  firing.number = ++scope.numbers.instance;
  wants.requestIds.push(requestIdOf(firing.schedule));
  const instanceId = idOf(firing);
  wantId(scope, instanceId, wants);
  wantProgram(scope, starterOf(scope, firing)?.named, wants);
}

function idOf({ schedule, number }: Firing): string {
  return madeId(schedule.process, number);
}

function starterOf(scope: Scope, firing: Firing): ReturnType<Scope["programs"]["starter"]> {
  const { process, element, trigger } = firing.schedule;
  const cause = { kind: "timer" as const, element, ...(trigger === undefined ? {} : { trigger }) };
  return scope.programs.starter(process, cause, { routingKey: idOf(firing), variables: {} });
}

/** Starts an instance for a due instant, and says when the next one is. Gives false when it has to be tried again. */
export function takeFiring(turn: InTurn, firing: Firing): boolean {
  const { scope, draft } = turn;
  const { schedule } = firing;
  const { process, element, due } = schedule;
  // A deployment has replaced it since.
  const current = scheduleAt(turn, schedule);
  if (current?.due !== due || current.hash !== schedule.hash) return true;
  const instanceId = idOf(firing);
  if (isGiven(scope, instanceId)) return false;
  const starter = starterOf(scope, firing);
  const requestId = requestIdOf(schedule);
  if (starter !== undefined && !scope.requests.has(requestId)) {
    const refused = start(scope, draft, {
      named: starter.named,
      number: firing.number,
      requestId,
      startedBy: null,
      command: {
        type: "create-instance",
        instanceId,
        rootId: instanceId,
        variables: {},
        actor: "schedule",
        start: { ...starter.place, payload: {} },
      },
    });
    if (refused !== undefined) {
      refuseStart(turn, { process, named: starter.named, cause: "schedule", name: element, why: refused });
    }
  }
  const next = nextFiring(schedule, draft.now, scope.host);
  if (next === undefined) drop(turn, schedule);
  else if ("ok" in next) {
    // It ends here: without an instant nothing starts any more.
    refuseStart(turn, { process, named: schedule, cause: "schedule", name: element, why: next });
    drop(turn, schedule);
  } else put(turn, { ...schedule, ...next });
  return true;
}
