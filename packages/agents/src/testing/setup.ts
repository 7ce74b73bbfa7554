import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentContext, AgentProgress, AgentTask, ProcessGroup } from "../agent.ts";
import { type Bubblewrap, bubblewrapCage, findBubblewrap } from "../cage/bubblewrap.ts";
import type { Cage } from "../cage/cage.ts";
import { uncaged } from "../cage/none.ts";
import { findProgram } from "../cage/program.ts";
import { membersOf } from "../process/group.ts";

/** A workspace, a scratch folder and a context that remembers what it was told; `remove` deletes all of it. */
export interface Bench {
  readonly folder: string;
  readonly workspace: string;
  readonly progress: AgentProgress[];
  readonly groups: ProcessGroup[];
  readonly cancel: AbortController;
  readonly context: AgentContext;
  task(rest?: Partial<AgentTask>): AgentTask;
  /** What was written to the transcript, line by line. */
  transcript(): readonly { readonly direction: string; readonly data: unknown }[];
  /** Pids of what is left of every group that was started. */
  left(): readonly number[];
  remove(): void;
}

export function bench(
  options: { readonly cage?: Cage; readonly limits?: Partial<AgentContext["limits"]> } = {},
): Bench {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tutti-agents-")));
  const workspace = join(folder, "workspace");
  mkdirSync(workspace);
  const progress: AgentProgress[] = [];
  const groups: ProcessGroup[] = [];
  const cancel = new AbortController();
  const context: AgentContext = {
    signal: cancel.signal,
    progress: (event) => progress.push(event),
    scratch: join(folder, "scratch"),
    transcript: join(folder, "transcript.jsonl"),
    limits: { wallMs: 30_000, silenceMs: 20_000, outputBytesMax: 4_000_000, ...options.limits },
    cage: options.cage ?? uncaged(),
    onSpawn: (group) => groups.push(group),
  };
  return {
    folder,
    workspace,
    progress,
    groups,
    cancel,
    context,
    task: (rest = {}) => ({
      kind: "implement",
      id: "unit-1",
      attempt: 1,
      tier: "standard",
      prompt: "Do it.",
      input: {},
      workspace,
      ...rest,
    }),
    transcript: () =>
      readFileSync(context.transcript, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line)),
    left: () => groups.flatMap((group) => membersOf(group, { trusted: true })).map((row) => row.pid),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Both cages where bubblewrap works, else the bare one. */
export async function cagesHere(): Promise<readonly Cage[]> {
  const bubblewrap = await bubblewrapHere();
  return bubblewrap === undefined ? [uncaged()] : [uncaged(), bubblewrapCage(bubblewrap)];
}

export async function bubblewrapHere(): Promise<Bubblewrap | undefined> {
  const found = await findBubblewrap();
  if (found.ok) return found.bubblewrap;
  // Not installed is a reason to skip; installed but not starting is something that CI has to tell.
  const installed = (await findProgram("bwrap")) !== undefined;
  if (process.env["CI"] === "true" && process.platform === "linux" && installed) throw new Error(found.reason);
  return undefined;
}

/** Waits until the condition holds, at most `withinMs`; says whether it did. */
export async function eventually(condition: () => boolean, withinMs = 5_000): Promise<boolean> {
  const until = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
