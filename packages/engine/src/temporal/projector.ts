import { addFigures, assert, must } from "@tutti/kernel";
import type { RecentRows } from "../embedded/log/recent.ts";
import type { Change, InstanceRecord, LogRow, NamedLogRow, Store } from "../embedded/store.ts";
import { type Counted, countedOf, Figures } from "../embedded/version/figures.ts";
import type { Projected, ProjectedRow, Projection } from "./contract.ts";

/** What the log has of an instance. */
interface Known {
  /** As of its newest row; undefined before there is one. */
  record: InstanceRecord | undefined;
  /** Events in the log. */
  sequence: number;
}

interface Waiting {
  readonly projection: Projection;
  readonly resolve: (projected: Projected) => void;
  readonly reject: (error: unknown) => void;
}

/** Instances whose place in the log is kept in memory; the others are looked up. */
const knownMax = 10_000;
/** Projections written in one turn of the store. */
const projectionsPerTurnMax = 256;

/**
 * Writes what executions say into the log, each row once: a row is named by its instance and sequence, so whoever
 * cannot prove that it was written says it again. One writer a store; what comes meanwhile is written together.
 */
export class Projector {
  readonly #store: Store;
  readonly #recent: RecentRows;
  readonly #figures: Figures = new Figures();
  readonly #known: Map<string, Known> = new Map();
  #position = 0;
  #instance = 0;
  #deployment = 0;
  /** What is in memory is to be read anew. */
  #isStale = false;
  #waiting: Waiting[] = [];
  /** Commits go one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Store, recent: RecentRows) {
    this.#store = store;
    this.#recent = recent;
  }

  async open(): Promise<void> {
    const { position, instance, deployment } = await this.#store.counters();
    this.#position = position;
    this.#instance = instance;
    this.#deployment = deployment;
    this.#known.clear();
    this.#isStale = false;
    this.#figures.reset(await this.#store.versionFigures(undefined));
    this.#recent.reset(position);
  }

  project(projection: Projection): Promise<Projected> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ projection, resolve, reject });
      if (this.#waiting.length === 1) this.#inOrder(() => this.#writeWaiting()).catch(() => undefined);
    });
  }

  /** Something that is no instance's: deployments, slots. */
  write(change: (nextDeployment: () => number) => Change): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#isStale) await this.#reopen();
      await this.#commit({ rows: [], changes: [change(() => ++this.#deployment)] });
    });
  }

  /** Resolves once everything that was said so far is written, or has failed. */
  async rest(): Promise<void> {
    await this.#inOrder(async () => undefined);
  }

  async #reopen(): Promise<void> {
    await this.#store.reopen();
    await this.open();
  }

  #inOrder<T>(write: () => Promise<T>): Promise<T> {
    const written = this.#last.then(write);
    this.#last = written.catch(() => undefined);
    return written;
  }

  async #writeWaiting(): Promise<void> {
    const turn = this.#waiting.splice(0, projectionsPerTurnMax);
    if (this.#waiting.length > 0) this.#inOrder(() => this.#writeWaiting()).catch(() => undefined);
    const answers: (() => void)[] = [];
    try {
      if (this.#isStale) await this.#reopen();
      if (this.#known.size >= knownMax) this.#known.clear();
      const draft = new Draft(this.#position);
      for (const { projection, resolve } of turn) {
        const projected = await this.#take(projection, draft);
        answers.push(() => resolve(projected));
      }
      this.#settleFigures(draft);
      await this.#commit(draft);
      this.#recent.add(draft.rows);
      for (const answer of answers) answer();
    } catch (error) {
      // What is in memory may be ahead of the store now.
      this.#isStale = true;
      for (const { reject } of turn) reject(error);
    }
  }

  async #commit(turn: { readonly rows: readonly LogRow[]; readonly changes: readonly Change[] }): Promise<void> {
    if (turn.rows.length === 0 && turn.changes.length === 0) return;
    this.#isStale = true;
    await this.#store.commit(turn);
    this.#isStale = false;
    this.#position += turn.rows.length;
  }

  async #take({ instanceId, rows }: Projection, draft: Draft): Promise<Projected> {
    const known = (await this.#find(instanceId)) ?? { record: undefined, sequence: 0 };
    const created = createdBy(rows);
    if (created !== undefined) {
      if (known.record !== undefined && !isSame(known.record, created)) return { ok: false, instanceId };
      const { requestId } = created;
      const earlier = requestId === null ? undefined : await this.#began(requestId, draft);
      if (earlier !== undefined && earlier !== instanceId) return { ok: false, instanceId: earlier };
      if (requestId !== null) draft.requests.set(requestId, instanceId);
    }
    this.#known.set(instanceId, known);
    const positions: number[] = [];
    for (const row of rows) {
      const { sequence } = row;
      if (sequence <= known.sequence) {
        positions.push(await this.#positionOf(instanceId, sequence));
        continue;
      }
      assert(sequence === known.sequence + 1, "no row of an instance is left out");
      positions.push(this.#add(known, row, draft));
    }
    return { ok: true, positions };
  }

  #add(known: Known, { sequence, at, events, changes }: ProjectedRow, draft: Draft): number {
    const before = known.record;
    const number = before?.number ?? ++this.#instance;
    const own = changes.map((change) => numbered(change, number));
    for (const change of own) if ("record" in change) known.record = change.record;
    known.sequence = sequence + events.length - 1;
    const record = must(known.record, "the first row of an instance creates it");
    const counted = countedOf(record, { isNew: before === undefined, incidents: before?.incidents ?? 0 });
    if (counted !== undefined) draft.counted.push(counted);
    return draft.add({ instance: number, sequence, at, events }, record, own);
  }

  async #find(instanceId: string): Promise<Known | undefined> {
    const known = this.#known.get(instanceId);
    if (known !== undefined) return known;
    const { instances } = await this.#store.find({ instanceIds: [instanceId], numbers: [], requestIds: [] });
    const stored = instances[0];
    if (stored === undefined) return undefined;
    const last = stored.rows.at(-1);
    const sequence = last === undefined ? (stored.snapshot?.sequence ?? 0) : last.sequence + last.events.length - 1;
    return { record: stored.record, sequence };
  }

  async #began(requestId: string, draft: Draft): Promise<string | undefined> {
    const inTurn = draft.requests.get(requestId);
    if (inTurn !== undefined) return inTurn;
    const { requests } = await this.#store.find({ instanceIds: [], numbers: [], requestIds: [requestId] });
    return requests.get(requestId);
  }

  /** Only for what is said twice. */
  async #positionOf(instanceId: string, sequence: number): Promise<number> {
    for (let after = 0; ; ) {
      const rows = await this.#store.rows({ after, instanceId, limit: 1_000 });
      const row = rows.find((each) => each.sequence === sequence);
      if (row !== undefined) return row.position;
      after = must(rows.at(-1), "the row is in the log").position;
    }
  }

  #settleFigures(draft: Draft): void {
    for (const { hash, process, change } of draft.counted) {
      const figures = addFigures(this.#figures.of(hash), [change]);
      this.#figures.set(hash, figures);
      draft.changes.push({ type: "figures-put", hash, process, figures });
    }
  }
}

/** One turn of the store while it is put together. */
class Draft {
  readonly rows: NamedLogRow[] = [];
  readonly changes: Change[] = [];
  readonly counted: Counted[] = [];
  /** Request id → instance id. */
  readonly requests: Map<string, string> = new Map();
  #position: number;

  constructor(position: number) {
    this.#position = position;
  }

  add(row: Omit<LogRow, "position">, record: InstanceRecord, changes: readonly Change[]): number {
    const { instanceId, rootId, copied } = record;
    const position = ++this.#position;
    this.rows.push({ ...row, position, instanceId, rootId, copied });
    for (const change of changes) this.changes.push(placed(change, position));
    return position;
  }
}

function createdBy([first]: readonly ProjectedRow[]): InstanceRecord | undefined {
  const change = first?.changes[0];
  return change?.type === "instance-put" ? change.record : undefined;
}

/** Said again by the same execution, or by the next one of the same start. */
function isSame(known: InstanceRecord, said: InstanceRecord): boolean {
  return known.requestId === said.requestId && known.parentId === said.parentId && known.hash === said.hash;
}

/** With the number that the log gave the instance. */
function numbered(change: Change, instance: number): Change {
  switch (change.type) {
    case "instance-put":
    case "instance-update":
      return { ...change, record: { ...change.record, number: instance } };
    case "job-put":
      return { ...change, job: { ...change.job, instance } };
    case "task-put":
      return { ...change, task: { ...change.task, instance } };
    case "incident-put":
      return { ...change, incident: { ...change.incident, instance } };
    case "subscription-put":
      return { ...change, subscription: { ...change.subscription, instance } };
    default:
      return { ...change, instance } as Change;
  }
}

function placed(change: Change, position: number): Change {
  if (change.type !== "subscription-put") return change;
  return { ...change, subscription: { ...change.subscription, position } };
}
