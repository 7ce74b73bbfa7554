import { createHash } from "node:crypto";
import { giveForkRefs, type RunContext, type RunHistory, settleFork } from "@tutti/feature";
import { AppError, type InstanceView } from "@tutti/kernel";
import type { ForkInstance } from "@tutti/protocol";
import type { HouseEngine } from "../engines/joined-engine.ts";
import { codeOf } from "../problem.ts";
import { makeRunId } from "./run-id.ts";

/** Forks an instance of a process, or a run with all it keeps. Gives the fork's id. */
export async function forkInstance(engine: HouseEngine, instanceId: string, asked: ForkInstance): Promise<string> {
  const { position, ...rest } = asked;
  const instance = await engine.instance(instanceId);
  const root = instance.rootId === instanceId ? instance : await engine.instance(instance.rootId);
  if (root.process !== "feature") {
    return engine.fork({ ...rest, instanceId, ...(position === undefined ? {} : { at: { position } }) });
  }
  if (root === instance) return forkRun(engine, root, asked);
  const expected = "Expected a run or an instance of a process";
  throw new AppError("fork-unsupported", `${expected}, but '${instanceId}' is a part of the run ${root.instanceId}`);
}

/**
 * First the refs, then the fork: none of its jobs ever misses one. The id follows from the request's, so that asking
 * twice forks once; what a crash leaves in between is ended by the next owner (`settleForks`).
 */
async function forkRun(engine: HouseEngine, run: InstanceView, asked: ForkInstance): Promise<string> {
  const { position = Number.POSITIVE_INFINITY, ...request } = asked;
  const from = run.instanceId;
  const to = makeRunId(String(run.variables["feature"]), createHash("sha256").update(asked.requestId).digest());
  if (await isInstance(engine, to)) return to;
  const { gitDir } = (run.variables["context"] as unknown as RunContext).repository;
  const repository = { gitDir };
  const past = new Past(engine, { run: from, position });
  await giveForkRefs({ repository, from, to }, past.events());
  try {
    // Where it was read to, and not where it has come to meanwhile: its refs are those of that moment.
    return await engine.fork({ ...request, instanceId: from, newId: to, at: { position: past.read } });
  } finally {
    // A store that refuses to answer leaves it to the next owner.
    await isInstance(engine, to).then(
      (exists) => settleFork(repository, to, exists),
      () => undefined,
    );
  }
}

export async function isInstance(engine: Pick<HouseEngine, "instance">, id: string): Promise<boolean> {
  try {
    await engine.instance(id);
    return true;
  } catch (error) {
    if (codeOf(error) === "instance-not-found") return false;
    throw error;
  }
}

/** What a run itself recorded up to a position, and how far that went. */
class Past {
  readonly #engine: HouseEngine;
  readonly #until: { readonly run: string; readonly position: number };
  /** Position of the last event that was read; 0 when there is none. */
  read = 0;

  constructor(engine: HouseEngine, until: { readonly run: string; readonly position: number }) {
    this.#engine = engine;
    this.#until = until;
  }

  async *events(): RunHistory {
    for await (const record of this.#engine.history({ instanceId: this.#until.run })) {
      if (record.cursor.position > this.#until.position) return;
      this.read = record.cursor.position;
      yield record;
    }
  }
}
