import {
  type FailureInfo,
  type InstanceView,
  type ItemView,
  isJsonObject,
  type Json,
  type JsonObject,
} from "@tutti/kernel";
import type { MergeState, Plan, Published, RunContext, UnitResult } from "./model.ts";

/*
 * One run as a screen shows it: folded from the views of its instances, nothing stored, so that it cannot lie. Where
 * two facts were read at different moments the run counts as running: the next look has both.
 */

export type UnitStatus =
  | "waiting"
  | "ready"
  | "running"
  | "repairing"
  | "done"
  | "failed"
  | "skipped"
  | "cancelled"
  | "withdrawn";

export interface UnitView {
  readonly id: string;
  readonly title: string;
  readonly status: UnitStatus;
  /** Tries of the whole unit, and of the work loop within it; 0 before it started. */
  readonly round: number;
  readonly attempt: number;
  readonly attemptsMax: number;
  /** What it is doing, and its agent's last sign of life. */
  readonly step: string | null;
  readonly note: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly elapsedMs: number;
  readonly dependsOn: readonly string[];
  readonly locks: readonly string[];
  /** Why it has not started. */
  readonly waitsFor: string | null;
  readonly landed: boolean;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly lastLines: readonly string[];
  } | null;
}

/** Something only a person can end. `key` is the task's or the incident's. */
export interface RunNeed {
  readonly kind: "approval" | "failed-units" | "incident";
  readonly instanceId: string;
  readonly key: number;
  readonly code: string;
  readonly message: string;
  readonly units: readonly string[];
  readonly since: number;
}

export interface RunResolution {
  readonly path: string;
  readonly rung: string;
  readonly between: readonly string[];
  readonly note: string;
}

export interface RunView {
  readonly run: string;
  readonly feature: string;
  readonly repository: string;
  readonly base: string;
  readonly agent: string;
  /** The agents only play what a script says. */
  readonly scripted: boolean;
  readonly phase: "planning" | "approval" | "units" | "merging" | "publishing" | "ended";
  /** `waiting`: nothing goes on until a person does something; `needsYou` says what. */
  readonly status: "running" | "paused" | "waiting" | "completed" | "failed" | "cancelled";
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly elapsedMs: number;
  /** Every planned unit counts when it is done and when it has landed, publishing counts once. */
  readonly percent: number;
  /** Null: not known yet. */
  readonly etaMs: number | null;
  readonly totals: {
    readonly planned: number;
    readonly done: number;
    readonly running: number;
    readonly waiting: number;
    readonly failed: number;
    readonly skipped: number;
    readonly cancelled: number;
    readonly landed: number;
  };
  /** What the run itself is doing, outside its units. */
  readonly step: string | null;
  readonly units: readonly UnitView[];
  readonly findings: readonly { readonly code: string; readonly message: string }[];
  readonly resolutions: readonly RunResolution[];
  readonly verifications: number;
  readonly repairs: number;
  readonly needsYou: readonly RunNeed[];
  readonly published: {
    readonly branch: string;
    readonly commit: string;
    readonly partial: boolean;
    readonly body: string;
  } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface RunJob {
  readonly instanceId: string;
  readonly progress: { readonly note?: string } | null;
}

/** What a run view is made of; `now` is epoch ms. */
export interface RunFacts {
  readonly root: InstanceView;
  /** Every open instance below the root. */
  readonly open: readonly InstanceView[];
  readonly jobs: readonly RunJob[];
  readonly tasks: readonly {
    readonly instanceId: string;
    readonly key: number;
    readonly title: string;
    readonly createdAt: number;
  }[];
  /** The work loop in which a unit failed for good, by unit id. */
  readonly failures: ReadonlyMap<string, InstanceView>;
  readonly now: number;
}

const phases: { readonly [element: string]: RunView["phase"] } = {
  plan: "planning",
  approve: "approval",
  units: "units",
  merge: "merging",
  publish: "publishing",
  below: "publishing",
};

export function runView(facts: RunFacts): RunView {
  const { root, now } = facts;
  const { variables } = root;
  const context = variables["context"] as unknown as RunContext;
  const merging = mergeFacts(facts);
  const units = unitViews(facts, merging);
  const needsYou = needsOf(facts);
  const status = statusOf(facts, needsYou);
  const published = (variables["published"] ?? null) as unknown as Published | null;
  const totals = totalsOf(units);
  const percent = percentOf(totals, { status, published });
  const elapsedMs = (root.endedAt ?? now) - root.startedAt;
  const phase = root.endedAt === null ? phaseOf(root) : "ended";
  return {
    run: root.instanceId,
    feature: String(variables["feature"]),
    repository: context.repository.path,
    base: context.repository.base,
    agent: context.options.agent,
    scripted: context.options.agent.startsWith("scripted"),
    phase,
    status,
    startedAt: root.startedAt,
    endedAt: root.endedAt,
    elapsedMs,
    percent,
    etaMs: status === "running" && percent >= 10 ? Math.round((elapsedMs * (100 - percent)) / percent) : null,
    totals,
    step: stepOf(facts, phase),
    units,
    findings: listOf(variables["findings"]).map(({ code, message }) => ({
      code: String(code),
      message: String(message),
    })),
    resolutions: merging.resolutions,
    verifications: merging.verifications,
    repairs: merging.repairs,
    needsYou,
    published:
      published === null
        ? null
        : {
            branch: published.branch,
            commit: published.commit,
            partial: published.partial,
            body: published.body,
          },
    error: errorOf(root),
  };
}

function errorOf({ outcome }: InstanceView): RunView["error"] {
  if (outcome?.type === "failed") return { code: outcome.error.code, message: outcome.error.message };
  if (outcome?.type === "cancelled") return { code: "run-cancelled", message: outcome.reason };
  return null;
}

function phaseOf(root: InstanceView): RunView["phase"] {
  for (const { element } of root.elements) {
    const phase = phases[element];
    if (phase !== undefined) return phase;
  }
  return "planning";
}

/**
 * Whether nothing in it can go on by itself. A child that was not seen may be on its way, unless its end is just what
 * the element's incident is about.
 */
function isStuck(instance: InstanceView, open: ReadonlyMap<string, InstanceView>): boolean {
  if (instance.waiting.some(({ on }) => on === "job" || on === "timer" || on === "compensation")) return false;
  const halted = new Set(instance.incidents.map(({ owner }) => owner));
  return instance.elements.every(({ key, childId }) => {
    if (childId === null || halted.has(key)) return true;
    const child = open.get(childId);
    return child !== undefined && isStuck(child, open);
  });
}

function statusOf({ root, open }: RunFacts, needsYou: readonly RunNeed[]): RunView["status"] {
  if (root.status === "completed" || root.status === "failed" || root.status === "cancelled") return root.status;
  if (root.status === "paused") return "paused";
  const byId = new Map(open.map((instance) => [instance.instanceId, instance]));
  return needsYou.length > 0 && isStuck(root, byId) ? "waiting" : "running";
}

function needsOf({ root, open, tasks }: RunFacts): RunNeed[] {
  const approvals = tasks.map(
    (task): RunNeed => ({
      kind: "approval",
      instanceId: task.instanceId,
      key: task.key,
      code: "approval",
      message: task.title,
      units: [],
      since: task.createdAt,
    }),
  );
  const incidents = [root, ...open].flatMap((instance) =>
    instance.incidents.map((incident) => needOf(instance, incident)),
  );
  return [...approvals, ...incidents].sort((a, b) => a.since - b.since || a.key - b.key);
}

function needOf(instance: InstanceView, incident: InstanceView["incidents"][number]): RunNeed {
  const { key, owner, kind, error, at } = incident;
  const place = { instanceId: instance.instanceId, key, since: at };
  if (kind !== "items-failed") {
    const { code, message } = error;
    return { kind: "incident", ...place, code, message, units: unitAt(instance, owner) };
  }
  const failed = failedItems(instance, owner);
  const [only, ...others] = failed;
  // One failed unit is told by its own class: `conflict-parked` says more than that an item failed.
  const { code, message } = others.length === 0 ? (only?.error ?? error) : error;
  return { kind: "failed-units", ...place, code, message, units: failed.map((item) => item.key) };
}

function failedItems({ collections }: InstanceView, body?: number): ItemView[] {
  const those = collections.filter((each) => body === undefined || each.body === body);
  return those.flatMap(({ items }) => items.filter(({ status }) => status === "failed"));
}

function unitOf({ variables }: InstanceView): string[] {
  const { unit } = variables as { readonly unit?: Json };
  return isJsonObject(unit) && typeof unit["id"] === "string" ? [unit["id"]] : [];
}

/** The unit that an incident stops: the item it stands in, or the one its instance works on. */
function unitAt(instance: InstanceView, owner: number): string[] {
  const item = instance.elements.find(({ key }) => key === owner)?.item;
  return item == null ? unitOf(instance) : [item];
}

interface MergeFacts {
  readonly landed: ReadonlySet<string>;
  readonly repairing: InstanceView | undefined;
  readonly repairingUnit: string | undefined;
  readonly resolutions: readonly RunResolution[];
  readonly verifications: number;
  readonly repairs: number;
  /** Units that cannot come in as they are: a person is asked about them, or they were left out. */
  readonly refused: ReadonlyMap<string, Told>;
}

/** What is known of a failure. */
type Told = Pick<FailureInfo, "code" | "message"> & { readonly details?: JsonObject };

const unknown: Told = { code: "failed", message: "" };

function mergeFacts({ root, open }: RunFacts): MergeFacts {
  const merge = open.find(({ process, parent }) => process === "merge" && parent?.instanceId === root.instanceId);
  const state = (merge?.variables["state"] ?? root.variables["merged"] ?? {}) as unknown as Partial<MergeState>;
  const repair = merge?.elements.find(({ element }) => element === "repair");
  const repairing = open.find(({ instanceId }) => instanceId === repair?.childId);
  const resolutions = (state.resolutions ?? []).map(({ path, rung, between, note }) => ({ path, rung, between, note }));
  return {
    landed: new Set(state.landed ?? []),
    repairing,
    repairingUnit: repairing === undefined ? undefined : unitOf(repairing)[0],
    resolutions,
    verifications: state.verifications?.length ?? 0,
    repairs: Number(merge?.variables["repairs"] ?? 0),
    refused: new Map<string, Told>([
      ...(state.setAside ?? []).map((each) => [each.unit, each] as const),
      ...(merge === undefined ? [] : failedItems(merge)).map(({ key, error }) => [key, error ?? unknown] as const),
    ]),
  };
}

function unitViews(facts: RunFacts, merging: MergeFacts): UnitView[] {
  const { root } = facts;
  const plan = root.variables["plan"] as unknown as Plan | undefined;
  const results = (root.variables["units"] ?? {}) as unknown as { readonly [id: string]: UnitResult };
  const items = new Map(root.collections.flatMap(({ items }) => items.map((item) => [item.key, item] as const)));
  const planned = new Map((plan?.units ?? []).map((unit) => [unit.id, unit] as const));
  return [...new Set([...planned.keys(), ...items.keys()])].map((id) => {
    const item = items.get(id);
    const result = (item?.result ?? results[id] ?? null) as unknown as UnitResult | null;
    const unit = planned.get(id) ?? (item?.value as unknown as Plan["units"][number] | undefined);
    const work = workOf(facts, { id, merging });
    const failure = facts.failures.get(id);
    const loop = work ?? failure;
    const waits = root.waiting.find((each) => each.item === id && each.key === null);
    return {
      id,
      title: unit?.title ?? id,
      status: merging.refused.has(id)
        ? "failed"
        : unitStatus(item, { result, root, repairing: merging.repairingUnit === id }),
      round: result?.round ?? item?.attempt ?? 0,
      attempt: Number(loop?.variables["attempt"] ?? result?.attempts ?? 0),
      attemptsMax: (root.variables["context"] as unknown as RunContext).options.attempts,
      ...activity(facts, work, id),
      startedAt: item?.startedAt ?? null,
      endedAt: item?.endedAt ?? null,
      elapsedMs: item?.startedAt == null ? 0 : (item.endedAt ?? root.endedAt ?? facts.now) - item.startedAt,
      dependsOn: unit?.dependsOn ?? [],
      locks: unit?.locks ?? [],
      waitsFor: waits?.reason ?? null,
      landed: merging.landed.has(id),
      error: errorOfUnit({ refused: merging.refused.get(id), item: item?.error ?? null }, failure),
    };
  });
}

const itemStatuses: { readonly [S in ItemView["status"]]: UnitStatus } = {
  waiting: "waiting",
  ready: "ready",
  running: "running",
  completed: "done",
  failed: "failed",
  skipped: "skipped",
  cancelled: "cancelled",
  withdrawn: "withdrawn",
};

function unitStatus(
  item: ItemView | undefined,
  facts: { readonly result: UnitResult | null; readonly root: InstanceView; readonly repairing: boolean },
): UnitStatus {
  if (facts.repairing) return "repairing";
  if (item !== undefined) {
    const status = itemStatuses[item.status];
    return facts.root.endedAt !== null && ["waiting", "ready", "running"].includes(status) ? "cancelled" : status;
  }
  if (facts.result !== null) return "done";
  if (facts.root.endedAt !== null && facts.root.status !== "completed") return "cancelled";
  const phase = phaseOf(facts.root);
  // The collection is closed, and this unit brought nothing: the run went on without it.
  if (facts.root.endedAt !== null || phase === "merging" || phase === "publishing") return "failed";
  return "waiting";
}

/** The open work loop of a unit: below its own instance, or below the merge when it is being repaired. */
function workOf(
  { root, open }: RunFacts,
  { id, merging }: { readonly id: string; readonly merging: MergeFacts },
): InstanceView | undefined {
  if (merging.repairingUnit === id) return merging.repairing;
  const childId = root.elements.find((element) => element.item === id && element.childId !== null)?.childId;
  if (childId == null) return undefined;
  return open.find(({ parent }) => parent?.instanceId === childId) ?? open.find((each) => each.instanceId === childId);
}

function activity(
  { open, jobs }: RunFacts,
  work: InstanceView | undefined,
  id: string,
): Pick<UnitView, "step" | "note"> {
  if (work === undefined) return { step: null, note: null };
  const unit = open.find(
    ({ process, variables }) => process === "unit" && unitOf({ variables } as InstanceView)[0] === id,
  );
  const step = work.elements.find(({ kind }) => kind !== "call-activity") ?? unit?.elements[0];
  const job = jobs.find(({ instanceId }) => instanceId === work.instanceId);
  return { step: step?.name ?? null, note: job?.progress?.note ?? null };
}

const lastLinesMax = 12;

function errorOfUnit(
  told: { readonly refused: Told | undefined; readonly item: Told | null },
  loop: InstanceView | undefined,
): UnitView["error"] {
  const ended = loop?.outcome?.type === "failed" ? loop.outcome.error : null;
  const error: Told | null = told.refused ?? told.item ?? ended;
  if (error === null) return null;
  const { code, message, details } = error;
  const said = details?.["lastLines"];
  if (Array.isArray(said)) return { code, message, lastLines: said.map(String) };
  // The lines of a loop belong to its own failure, not to what the merge met later.
  const lines = loop === undefined || told.refused !== undefined ? [] : lastLines(loop.variables);
  return { code, message, lastLines: lines };
}

/** What the failed check or the agent wrote last. */
function lastLines(variables: JsonObject): string[] {
  const tested = variables["tested"];
  const applied = variables["applied"];
  const red = listOf(isJsonObject(tested) ? tested["results"] : undefined).find((result) => result["passed"] === false);
  const failure = isJsonObject(applied) && isJsonObject(applied["failure"]) ? applied["failure"] : undefined;
  const fromAgent = Array.isArray(failure?.["lastLines"]) ? failure["lastLines"].map(String) : [];
  // An agent that failed explains the rest.
  const lines = red === undefined || fromAgent.length > 0 ? fromAgent : String(red["output"] ?? "").split("\n");
  return lines.filter((line) => line.trim() !== "").slice(-lastLinesMax);
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((entry: Json) => isJsonObject(entry)) : [];
}

function totalsOf(units: readonly UnitView[]): RunView["totals"] {
  const count = (...statuses: readonly UnitStatus[]): number =>
    units.filter(({ status }) => statuses.includes(status)).length;
  return {
    planned: units.filter(({ status }) => status !== "withdrawn").length,
    done: count("done", "repairing"),
    running: count("running"),
    waiting: count("waiting", "ready"),
    failed: count("failed"),
    skipped: count("skipped"),
    cancelled: count("cancelled"),
    landed: units.filter(({ landed }) => landed).length,
  };
}

function percentOf(
  totals: RunView["totals"],
  { status, published }: { readonly status: RunView["status"]; readonly published: Published | null },
): number {
  if (status === "completed") return 100;
  const steps = 2 * totals.planned + 1;
  const taken = totals.done + totals.landed + (published === null ? 0 : 1);
  return totals.planned === 0 ? 0 : Math.floor((100 * taken) / steps);
}

/** What the run does besides its units. */
function stepOf({ root, open }: RunFacts, phase: RunView["phase"]): string | null {
  if (phase === "ended" || phase === "units") return null;
  if (phase === "merging") {
    const merge = open.find(({ process }) => process === "merge");
    const step = merge?.elements[0];
    if (step !== undefined) return step.name;
  }
  return root.elements[0]?.name ?? null;
}
