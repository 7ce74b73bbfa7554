import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { RecordedEvent } from "@tutti/engine";
import type { RunView } from "@tutti/feature";
import { parse } from "yaml";
import { createScene, examples, type Scene, textOf, until } from "./scene.ts";

/*
 * Runs of one example whose owner is killed at some moment. The agents keep a diary outside all workspaces, which is
 * the witness for how often each of them really began.
 */

export interface CrashScene {
  readonly scene: Scene;
  /** Arguments of `tutti run`. */
  readonly command: readonly string[];
  /** How often each attempt of an agent began, as `unit#attempt`. */
  diary(): ReadonlyMap<string, number>;
}

/** Uncaged, so that agents outlive their owner and can reach their diary. */
export function crashScene(example: string): CrashScene {
  const scene = createScene(example.startsWith("fixtures/") ? {} : { example });
  const folder = join(scene.folder, "material");
  cpSync(join(examples, example), folder, { recursive: true });
  const diary = join(scene.folder, "diary");
  const script = join(folder, "agents.yaml");
  writeFileSync(script, withDiary(readFileSync(script, "utf8"), diary));
  const files = ["--plan", join(folder, "plan.yaml"), "--script", script];
  return {
    scene,
    command: ["run", "--repo", scene.repository, "--agent", "scripted", ...files, "--sandbox", "none", "--id", "r"],
    diary: () => count((textOf(diary) ?? "").split("\n").filter((line) => line !== "")),
  };
}

interface Script {
  readonly tasks: { readonly [task: string]: { steps?: object[] }[] };
}

/** Every attempt begins with a line in the diary. Its path climbs to the root first: scripts only know relative ones. */
function withDiary(text: string, diary: string): string {
  const script = parse(text) as Script;
  const path = `${"../".repeat(30)}${diary.slice(1)}`;
  for (const [task, attempts] of Object.entries(script.tasks)) {
    for (const [at, attempt] of attempts.entries()) {
      const entry = { append: { path, content: `${task}#${at + 1}\n` } };
      attempt.steps = [entry, ...(attempt.steps ?? [])];
    }
  }
  // JSON is YAML too, and nothing about it is a matter of taste.
  return JSON.stringify(script);
}

export function count(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** What a run comes to when nobody kills it. */
export interface Reference {
  readonly tree: string;
  readonly durationMs: number;
  readonly positions: number;
  /** Jobs by type and unit, with how often each was done. */
  readonly done: ReadonlyMap<string, number>;
}

export async function referenceRun({ scene, command }: CrashScene, timeoutMs: number): Promise<Reference> {
  const view = await scene.json([...command], { timeoutMs });
  const events = await scene.events();
  return {
    tree: treeOf(scene, view),
    durationMs: view.elapsedMs,
    positions: events.at(-1)?.cursor.position ?? 0,
    done: count(jobsDone(events)),
  };
}

export function treeOf(scene: Scene, view: RunView): string {
  if (view.published === null) throw new Error(`${view.run} published nothing: ${view.status}`);
  return scene.git("rev-parse", `${view.published.branch}^{tree}`);
}

/** Every job that was completed, named so that the same work in another run has the same name. */
export function jobsDone(events: readonly RecordedEvent[]): readonly string[] {
  const names = new Map<string, string>();
  const done: string[] = [];
  for (const { instanceId, event } of events) {
    if (event.type === "job-created") {
      const { unit, round, attempt } = event.input as { unit?: { id?: string }; round?: number; attempt?: number };
      const which = unit?.id === undefined ? instanceId : `${unit.id} ${round ?? ""}.${attempt ?? ""}`;
      names.set(`${instanceId} ${event.key}`, `${event.jobType} ${which}`);
    }
    if (event.type === "job-completed") done.push(names.get(`${instanceId} ${event.key}`) ?? "unknown");
  }
  return done;
}

/** `unit#attempt` of every agent whose edits are in the log for good. */
export function appliedDurably(events: readonly RecordedEvent[], attemptsPerRound: number): readonly string[] {
  const applies = jobsDone(events).flatMap((name) => /^unit\.apply (\S+) (\d+)\.(\d+)$/.exec(name) ?? []);
  const found: string[] = [];
  for (let at = 0; at < applies.length; at += 4) {
    const [unit, round, attempt] = applies.slice(at + 1, at + 4);
    found.push(`${unit}#${(Number(round) - 1) * attemptsPerRound + Number(attempt)}`);
  }
  return found;
}

export interface Moment {
  readonly seed: number;
  /** Counted in time, or in rows of the log. */
  readonly by: "time" | "log";
  /** Share of the uninterrupted run. */
  readonly share: number;
}

/** Seeds spread evenly over the run whatever their number is: multiples of the golden ratio never cluster. */
export function momentOf(seed: number): Moment {
  return { seed, by: seed % 2 === 0 ? "time" : "log", share: (seed * 0.618_033_988_75) % 1 };
}

/** Resolves at the moment, or when the log has stopped growing before it. */
export async function awaitMoment(scene: Scene, { by, share }: Moment, reference: Reference): Promise<void> {
  const database = await until(() => openLog(scene));
  try {
    const look = database.prepare("SELECT max(position) AS position, min(at) AS first FROM log");
    const deadline = Date.now() + 2 * reference.durationMs;
    await until(
      () => {
        const { position, first } = look.get() as { position: number | null; first: number | null };
        if (position === null || first === null) return undefined;
        const isThere =
          by === "log" ? position >= share * reference.positions : Date.now() - first >= share * reference.durationMs;
        return isThere || position >= reference.positions || Date.now() > deadline ? true : undefined;
      },
      { timeoutMs: 3 * reference.durationMs, everyMs: 3 },
    );
  } finally {
    database.close();
  }
}

function openLog(scene: Scene): DatabaseSync | undefined {
  try {
    const database = new DatabaseSync(join(scene.state, "tutti.sqlite"), { readOnly: true });
    database.prepare("SELECT 1 FROM log").get();
    return database;
  } catch {
    // The owner is just making it.
    return undefined;
  }
}
