import type { EngineReader, InstanceRow, Page, RecordedEvent, Views } from "@tutti/engine";
import type { RunView } from "@tutti/feature";
import { AppError, type InstanceView } from "@tutti/kernel";
import type { RunSummary } from "@tutti/protocol";

/** The reading half of an engine, beside its owner or within it. */
export type Reader = Pick<EngineReader, "instance" | "query" | "history">;

/** The process whose instances are the runs. */
export const featureProcess = "feature";
const pageRows = 1_000;
const pagesMax = 20;

/** Folds runs out of an engine's views. Ended instances never change, so their views are kept. */
export class RunReader {
  readonly #reader: Reader;
  readonly #now: () => number;
  readonly #ended = new Map<string, InstanceView>();

  constructor(reader: Reader, now: () => number = Date.now) {
    this.#reader = reader;
    this.#now = now;
  }

  async view(run: string): Promise<RunView> {
    const reader = this.#reader;
    const root = await this.root(run);
    const [open, { rows: jobs }, { rows: tasks }, failures] = await Promise.all([
      this.open(run),
      reader.query("jobs", { rootId: run }, { limit: pageRows }),
      reader.query("tasks", { rootId: run }, { limit: pageRows }),
      this.#failures(root),
    ]);
    // Loaded here, because who asks the owner for its views does without.
    const { runView } = await import("@tutti/feature");
    return runView({ root, open, jobs, tasks, failures, now: this.#now() });
  }

  /** The run's own instance. Rejects with `run-unknown`. */
  async root(run: string): Promise<InstanceView> {
    const root = await this.#reader.instance(run).catch((error: unknown) => {
      if (error instanceof AppError && error.code === "instance-not-found") return undefined;
      throw error;
    });
    if (root?.process === featureProcess) return root;
    throw new AppError("run-unknown", `Expected a run of this state folder, but there is no '${run}'`);
  }

  /** Every open instance below the run's own. */
  async open(run: string): Promise<InstanceView[]> {
    const rows = await this.#rows({ rootId: run, status: "open" });
    return this.#views(rows.filter(({ instanceId }) => instanceId !== run));
  }

  /** What a unit did, oldest first: its own instances and their work loops, ended ones too. */
  async unit(run: string, unit: string): Promise<InstanceView[]> {
    const rows = (await this.#rows({ rootId: run })).filter(
      ({ process }) => process === "unit" || process === "work-loop",
    );
    const views = await this.#views(rows.toReversed());
    return views.filter(({ variables }) => (variables["unit"] as { readonly id?: unknown } | undefined)?.id === unit);
  }

  /** Newest first. */
  async list(): Promise<RunSummary[]> {
    const rows = await this.#rows({ process: featureProcess });
    return Promise.all(rows.map((row) => this.#summary(row)));
  }

  /** Run ids, newest first, without looking into the runs. */
  async ids(): Promise<{ readonly run: string; readonly open: boolean }[]> {
    const rows = await this.#rows({ process: featureProcess });
    return rows.map(({ instanceId, endedAt }) => ({ run: instanceId, open: endedAt === null }));
  }

  async #summary({ instanceId, status, startedAt, endedAt }: InstanceRow): Promise<RunSummary> {
    const root = (await this.#views([{ instanceId, endedAt }]))[0];
    const feature = String(root?.variables["feature"] ?? "");
    const context = root?.variables["context"] as { readonly repository?: { readonly path?: string } } | undefined;
    const repository = context?.repository?.path ?? "";
    const shown = endedAt === null && status !== "paused" ? (await this.view(instanceId)).status : status;
    return {
      run: instanceId,
      feature,
      repository,
      status: shown === "failing" ? "running" : shown,
      startedAt,
      endedAt,
    };
  }

  async #failures(root: InstanceView): Promise<Map<string, InstanceView>> {
    const failures = new Map<string, InstanceView>();
    if (root.collections.every(({ counts }) => counts.failed === 0)) return failures;
    const rows = await this.#rows({ rootId: root.instanceId, status: "failed" });
    for (const loop of await this.#views(rows.filter(({ process }) => process === "work-loop"))) {
      const unit = loop.variables["unit"] as { readonly id?: string } | undefined;
      // Newest first: the last failure is the one that counts.
      if (unit?.id !== undefined && !failures.has(unit.id)) failures.set(unit.id, loop);
    }
    return failures;
  }

  async #rows(filter: {
    readonly rootId?: string;
    readonly process?: string;
    readonly status?: "open" | "failed";
  }): Promise<readonly InstanceRow[]> {
    return rowsOf(this.#reader, "instances", filter);
  }

  async #views(rows: readonly Pick<InstanceRow, "instanceId" | "endedAt">[]): Promise<InstanceView[]> {
    return Promise.all(
      rows.map(async ({ instanceId, endedAt }) => {
        const known = this.#ended.get(instanceId);
        if (known !== undefined) return known;
        const view = await this.#reader.instance(instanceId);
        if (endedAt !== null && this.#ended.size < 10_000) this.#ended.set(instanceId, view);
        return view;
      }),
    );
  }
}

/** What happened in one instance, oldest first. Rejects with `instance-not-found`. */
export async function* historyOf(reader: Reader, instanceId: string): AsyncIterable<RecordedEvent> {
  const { rootId } = await reader.instance(instanceId);
  for await (const record of reader.history({ rootId })) if (record.instanceId === instanceId) yield record;
}

/** Every row of a list, within limits. */
export async function rowsOf<V extends keyof Views>(
  reader: Pick<Reader, "query">,
  view: V,
  filter: Views[V]["filter"] = {},
): Promise<readonly Views[V]["row"][]> {
  const rows: Views[V]["row"][] = [];
  let after: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const more = after === undefined ? {} : { after };
    const found: Page<Views[V]["row"]> = await reader.query(view, filter, { limit: pageRows, ...more });
    rows.push(...found.rows);
    after = found.next;
    if (after === undefined) break;
  }
  return rows;
}
