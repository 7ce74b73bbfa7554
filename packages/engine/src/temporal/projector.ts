import { setImmediate } from "node:timers/promises";
import { assert, must } from "@tutti/kernel";
import type { RecentRows } from "../embedded/log/recent.ts";
import type { StoredRollout } from "../embedded/message/coordination.ts";
import type { Appended, SharedLog } from "../embedded/shared-log.ts";
import type { Change, InstanceRecord, NamedLogRow, Standing, StandingWanted } from "../embedded/store.ts";
import { type Counted, countedMove, countedOf, countedReturn, summedFigures } from "../embedded/version/figures.ts";
import { countedIn } from "../embedded/version/rollouts.ts";
import type { Projected, ProjectedRow, Projection } from "./contract.ts";

interface Waiting {
  readonly projection: Projection;
  readonly resolve: (projected: Projected) => void;
  readonly reject: (error: unknown) => void;
}

/** Projections written in one turn of the log. */
const projectionsPerTurnMax = 256;

/**
 * Writes what executions say into the log, each row once: a row is named by its instance and sequence, so whoever
 * cannot prove that it was written says it again. Where the log has something else by that name, it has come first, and
 * counts. What comes while a turn is being written is written together.
 */
export class Projector {
  readonly #log: SharedLog;
  readonly #recent: RecentRows;
  #waiting: Waiting[] = [];
  /** Turns go one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(log: SharedLog, recent: RecentRows) {
    this.#log = log;
    this.#recent = recent;
  }

  project(projection: Projection): Promise<Projected> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ projection, resolve, reject });
      if (this.#waiting.length === 1) this.#inOrder(() => this.#writeWaiting()).catch(() => undefined);
    });
  }

  /** Something that is no instance's, and that every process has to know: deployments, rollouts. Gives what was written. */
  define<C extends Change>(change: (standing: Standing) => readonly C[]): Promise<readonly C[]> {
    const nothing = { instances: [], requestIds: [], hashes: [] };
    return this.#inOrder(async () => {
      let changes: readonly C[] = [];
      await this.#log.append(nothing, (standing) => {
        changes = change(standing);
        return { rows: [], changes, defines: true };
      });
      return changes;
    });
  }

  /** What is decided of several instances from what the log has at that moment, written as one turn. */
  together(wanted: StandingWanted, decide: (standing: Standing) => readonly Projection[]): Promise<void> {
    return this.#inOrder(async () => {
      let rows: readonly NamedLogRow[] = [];
      await this.#log.append(wanted, (standing) => {
        const draft = new Draft(standing);
        for (const projection of decide(standing)) assert(draft.take(projection).ok, "it was decided from this");
        rows = draft.rows;
        return draft.turn();
      });
      this.#recent.add(rows);
    });
  }

  /** What is between instances. */
  change(changes: readonly Change[]): Promise<void> {
    const nothing = { instances: [], requestIds: [], hashes: [] };
    return this.#inOrder(() => this.#log.append(nothing, () => ({ rows: [], changes })));
  }

  /** Resolves once everything that was said so far is written, or has failed. */
  async rest(): Promise<void> {
    await this.#inOrder(async () => undefined);
  }

  #inOrder<T>(write: () => Promise<T>): Promise<T> {
    const written = this.#last.then(write);
    this.#last = written.catch(() => undefined);
    return written;
  }

  async #writeWaiting(): Promise<void> {
    // What came together is told one by one, and whoever waits for a disk hears nothing meanwhile.
    await setImmediate();
    const turn = this.#waiting.splice(0, projectionsPerTurnMax);
    if (this.#waiting.length > 0) this.#inOrder(() => this.#writeWaiting()).catch(() => undefined);
    const projections = turn.map(({ projection }) => projection);
    let projected: readonly Projected[] = [];
    let rows: readonly NamedLogRow[] = [];
    try {
      await this.#log.append(wantedBy(projections), (standing) => {
        const draft = new Draft(standing);
        projected = projections.map((projection) => draft.take(projection));
        rows = draft.rows;
        return draft.turn();
      });
      this.#recent.add(rows);
      for (const [index, { resolve }] of turn.entries()) resolve(must(projected[index], "each has its answer"));
    } catch (error) {
      for (const { reject } of turn) reject(error);
    }
  }
}

function wantedBy(projections: readonly Projection[]): StandingWanted {
  const sequences = new Map<string, number>();
  const requestIds = new Set<string>();
  const hashes = new Set<string>();
  for (const { instanceId, rows, beside } of projections) {
    const first = rows[0]?.sequence ?? must(beside, "a projection has something to say").sequence + 1;
    sequences.set(instanceId, Math.min(first, sequences.get(instanceId) ?? first));
    for (const { changes, movedFrom } of rows) {
      if (movedFrom !== undefined) hashes.add(movedFrom);
      for (const change of changes) if ("record" in change) hashes.add(change.record.hash);
    }
    for (const change of beside?.changes ?? []) if ("record" in change) hashes.add(change.record.hash);
    const requestId = createdBy(rows)?.requestId;
    if (requestId != null) requestIds.add(requestId);
  }
  const instances = [...sequences].map(([instanceId, sequence]) => ({ instanceId, sequence }));
  return { instances, requestIds: [...requestIds], hashes: [...hashes] };
}

/** What the log has of an instance, and what this turn adds. */
interface Known {
  /** As of its newest row; undefined before there is one. */
  record: InstanceRecord | undefined;
  /** Rows by their sequence. */
  readonly rows: Map<number, Pick<NamedLogRow, "position" | "at" | "cause">>;
  /** The last event of those rows; undefined: there are none. */
  end: number | undefined;
}

/** One turn of the log while it is put together. */
class Draft {
  readonly rows: NamedLogRow[] = [];
  readonly #standing: Standing;
  readonly #changes: Change[] = [];
  readonly #counted: Counted[] = [];
  readonly #known: Map<string, Known> = new Map();
  /** Request id → instance id. */
  readonly #requests: Map<string, string>;
  /** By process; those that have counted something. */
  readonly #rollouts: Map<string, StoredRollout> = new Map();
  #position: number;
  #instance: number;

  constructor(standing: Standing) {
    this.#standing = standing;
    this.#requests = new Map(standing.requests);
    this.#position = standing.counters.position;
    this.#instance = standing.counters.instance;
  }

  take({ instanceId, rows, beside }: Projection): Projected {
    const known = this.#find(instanceId);
    const created = createdBy(rows);
    if (created !== undefined) {
      if (known.record !== undefined && !isSame(known.record, created)) return { ok: false, instanceId };
      const { requestId } = created;
      const earlier = requestId === null ? undefined : this.#requests.get(requestId);
      if (earlier !== undefined && earlier !== instanceId) return { ok: false, instanceId: earlier };
      if (requestId !== null) this.#requests.set(requestId, instanceId);
    }
    const isOther = rows.some((row) => differs(known, row)) || goesOn(known, rows) || leavesLate(known, beside);
    if (isOther) return { ok: false, differs: true };
    const positions = rows.map((row) => known.rows.get(row.sequence)?.position ?? this.#add(known, row));
    if (beside !== undefined && !isLate(known, beside)) this.#changeBeside(known, beside);
    return { ok: true, positions };
  }

  turn(): Appended {
    const figures = summedFigures(this.#counted, (hash) => this.#standing.figures.get(hash));
    const rollouts = [...this.#rollouts.values()];
    const puts = rollouts.map((rollout) => ({ type: "rollout-put", rollout }) as const);
    const isTakenBack = ({ process, rolledBack }: StoredRollout): boolean =>
      rolledBack !== null && this.#planned(process)?.rolledBack === null;
    return { rows: this.rows, changes: [...this.#changes, ...figures, ...puts], defines: rollouts.some(isTakenBack) };
  }

  /** As the log has it. */
  #planned(process: string): StoredRollout | undefined {
    return this.#standing.rollouts.find((rollout) => rollout.process === process);
  }

  #count(each: Counted, at: number): void {
    this.#counted.push(each);
    const rollout = this.#rollouts.get(each.process) ?? this.#planned(each.process);
    // What began before says nothing about how the candidate fares under the plan.
    if (rollout === undefined || each.number <= rollout.after || each.version !== rollout.plan.candidate) return;
    this.#rollouts.set(each.process, countedIn(rollout, each, at));
  }

  #find(instanceId: string): Known {
    let known = this.#known.get(instanceId);
    if (known === undefined) {
      const { record, rows = [] } = this.#standing.instances.get(instanceId) ?? {};
      const last = rows.at(-1);
      known = {
        record,
        rows: new Map(rows.map((row) => [row.sequence, row])),
        end: last === undefined ? undefined : last.sequence + last.events.length - 1,
      };
      this.#known.set(instanceId, known);
    }
    return known;
  }

  /** Nothing happens in it, but it may move to another engine. */
  #changeBeside(known: Known, { changes }: NonNullable<Projection["beside"]>): void {
    const record = must(known.record, "what changes beside its rows is there");
    const { endedAt, incidents } = record;
    const place = { number: record.number, position: this.#position };
    for (const change of changes) this.#change(known, change, place);
    if (endedAt !== null || record.endedAt === null) return;
    const counted = countedOf(record, { isNew: false, incidents });
    if (counted !== undefined) this.#count(counted, record.endedAt);
  }

  #change(known: Known, change: Change, place: Place): void {
    if ("record" in change) {
      // One record for the whole turn: it is read as it is at the commit.
      known.record = Object.assign(known.record ?? change.record, change.record, { number: place.number });
      this.#changes.push({ ...change, record: known.record });
    } else this.#changes.push(placed(change, place));
  }

  /** Gives the position. */
  #add(known: Known, { sequence, at, cause, events, changes }: ProjectedRow): number {
    assert(known.end === undefined || sequence === known.end + 1, "no row of an instance is left out");
    const before = known.record === undefined ? undefined : { ...known.record };
    const number = before?.number ?? ++this.#instance;
    const position = ++this.#position;
    for (const change of changes) this.#change(known, change, { number, position });
    const record = must(known.record, "the first row of an instance creates it");
    const counted =
      before?.status === "moved"
        ? countedReturn(record)
        : countedOf(record, { isNew: before === undefined, incidents: before?.incidents ?? 0 });
    if (counted !== undefined) this.#count(counted, at);
    if (before !== undefined && before.status !== "moved" && before.hash !== record.hash) {
      for (const each of countedMove(record, before)) this.#count(each, at);
    }
    const { instanceId, rootId, copied } = record;
    this.rows.push({ position, instance: number, sequence, at, cause, events, instanceId, rootId, copied });
    known.rows.set(sequence, { position, at, cause });
    known.end = sequence + events.length - 1;
    return position;
  }
}

/**
 * Whether the log has other events in the place of these. The same command at the same time, after the same events, has
 * the same events: so those need not be compared.
 */
function differs({ rows, end }: Known, { sequence, at, cause }: ProjectedRow): boolean {
  const told = rows.get(sequence);
  return told === undefined ? end !== undefined && sequence <= end : told.at !== at || told.cause !== cause;
}

/** Whether the log has more than whoever says these rows knows of. */
function goesOn({ end }: Known, rows: readonly ProjectedRow[]): boolean {
  const last = rows.at(-1);
  return last !== undefined && end !== undefined && end >= last.sequence + last.events.length;
}

/** Whoever says it late says what is not so any more. */
function isLate({ end }: Known, { sequence }: NonNullable<Projection["beside"]>): boolean {
  return (end ?? sequence) !== sequence;
}

/** Whether an execution that knows less than the log would end with this, for another engine to go on. */
function leavesLate(known: Known, beside: Projection["beside"]): boolean {
  if (beside === undefined || !isLate(known, beside)) return false;
  return beside.changes.some((change) => change.type === "instance-update" && change.record.status === "moved");
}

function createdBy([first]: readonly ProjectedRow[]): InstanceRecord | undefined {
  const change = first?.changes[0];
  return change?.type === "instance-put" ? change.record : undefined;
}

/** Said again by the same execution, or by the next one of the same start. */
function isSame(known: InstanceRecord, said: InstanceRecord): boolean {
  return known.requestId === said.requestId && known.parentId === said.parentId && known.hash === said.hash;
}

/** The number that the log gave an instance, and the position of the row that something stands in. */
interface Place {
  readonly number: number;
  readonly position: number;
}

function placed(change: Change, { number, position }: Place): Change {
  switch (change.type) {
    case "job-put":
      return { ...change, job: { ...change.job, instance: number } };
    case "task-put":
      return { ...change, task: { ...change.task, instance: number } };
    case "incident-put":
      return { ...change, incident: { ...change.incident, instance: number } };
    case "subscription-put":
      return { ...change, subscription: { ...change.subscription, instance: number, position } };
    case "message-received":
    case "holder-delete":
      return change;
    default:
      return { ...change, instance: number } as Change;
  }
}
