import { AppError, type ProgramDocument, type Undoable } from "@tutti/kernel";
import { moveRefused } from "../../moving.ts";
import type { MovedInstance, MovedRow } from "../../port.ts";
import { forkRowsMax } from "../limits.ts";
import type { StoreReader } from "../store.ts";
import { deploymentWith, programNotFound } from "../version/programs.ts";

const pageRows = 1_000;

/** Everything of an instance, as the store has it. Rejects with `instance-not-found` and `move-refused`. */
export async function movedInstance(store: StoreReader, instanceId: string): Promise<MovedInstance> {
  const { instances } = await store.find({ instanceIds: [instanceId], numbers: [], requestIds: [] });
  const record = instances[0]?.record;
  if (record === undefined) {
    throw new AppError("instance-not-found", `Expected an instance '${instanceId}', but there is none.`);
  }
  const { businessKey, requestId, startedBy, hash } = record;
  const rows = await rowsOf(store, instanceId);
  const deployed = (await store.deployments()).map((stored) => stored.deployment);
  const deployment = deployed.find(({ id }) => id === record.deployment) ?? { id: record.deployment, programs: [] };
  const undoing = new Set([...undoneBy(rows)].map((each) => deploymentWith(each, deployment, deployed)));
  undoing.delete(deployment);
  const others = [...undoing].filter((each) => each !== undefined);
  const hashes = new Set([hash, ...[deployment, ...others].flatMap((each) => each.programs.map((one) => one.hash))]);
  const programs = await Promise.all([...hashes].map((each) => documentOf(store, each)));
  return { instanceId, businessKey, requestId, startedBy, hash, deployment, undoing: others, programs, rows };
}

/** Hashes of the programs that undo what it called, and what that called in turn. */
function undoneBy(rows: readonly MovedRow[]): ReadonlySet<string> {
  const hashes = new Set<string>();
  const add = ({ hash, work }: Undoable): void => {
    hashes.add(hash);
    for (const { called } of work?.records ?? []) if (called !== undefined) add(called);
  };
  for (const { events } of rows) {
    for (const event of events) if (event.type === "child-ended" && event.undoable !== undefined) add(event.undoable);
  }
  return hashes;
}

async function documentOf(store: StoreReader, hash: string): Promise<ProgramDocument> {
  const document = await store.program(hash);
  if (document === undefined) throw programNotFound(hash, undefined);
  return document;
}

async function rowsOf(store: StoreReader, instanceId: string): Promise<readonly MovedRow[]> {
  const rows: MovedRow[] = [];
  for (let after = 0; ; ) {
    const page = await store.rows({ after, instanceId, limit: pageRows });
    rows.push(...page.map(({ sequence, at, events }) => ({ sequence, at, events })));
    const last = page.at(-1);
    if (last === undefined || page.length < pageRows) return rows;
    after = last.position;
    if (rows.length > forkRowsMax) {
      throw moveRefused(`Expected at most ${forkRowsMax} rows of '${instanceId}' to move, but there are more`);
    }
  }
}
