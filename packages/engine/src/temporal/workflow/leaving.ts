import type { Rejection, State } from "@tutti/kernel";
import type { Change, InstanceRecord } from "../../embedded/store.ts";
import { closeOpen, hasKept, staysFor } from "../../moving.ts";
import type { LocalActivities, ReleaseAnswer } from "../contract.ts";
import { noNumber } from "./changes.ts";
import type { Parcels } from "./parcels.ts";

interface Leaver {
  readonly state: State;
  readonly record: InstanceRecord;
  readonly parcels: Parcels;
  readonly project: LocalActivities["project"];
  readonly now: number;
}

/** For what comes to an execution whose instance has moved. */
export const hasMoved: Rejection = {
  code: "instance-not-found",
  reason: "Expected an instance on this engine, but it has moved to another one",
};

/** Those who ask for an instance to be given up, until that can be decided. */
export class Leaving {
  #asking: ((answer: ReleaseAnswer) => void)[] = [];

  get isAsked(): boolean {
    return this.#asking.length > 0;
  }

  ask(): Promise<ReleaseAnswer> {
    return new Promise((resolve) => this.#asking.push(resolve));
  }

  /** Gives whether it has left. Then the log says so, and has nothing of it open. */
  async decide(leaver: Leaver | undefined): Promise<boolean> {
    const asking = this.#asking.splice(0);
    const rejection = leaver === undefined ? hasMoved : (stays(leaver) ?? (await leave(leaver)));
    for (const answer of asking) answer(rejection === undefined ? { ok: true } : { ok: false, rejection });
    return rejection === undefined;
  }
}

function stays({ state, parcels }: Leaver): Rejection | undefined {
  const { instanceId } = state.head;
  const reason = staysFor(state) ?? (parcels.isEmpty ? undefined : hasKept(instanceId));
  return reason === undefined ? undefined : { code: "instance-not-paused", reason };
}

async function leave({ state, record, project, now }: Leaver): Promise<Rejection | undefined> {
  const { instanceId, startedBy: channel, process } = record;
  const changes: Change[] = closeOpen(state, noNumber);
  if (channel !== null) changes.push({ type: "holder-delete", channel, process });
  const moved = { ...record, status: "moved", held: false, incidents: 0, endedAt: now } as const;
  changes.push({ type: "instance-update", record: moved });
  const written = await project({ instanceId, rows: [], beside: { sequence: state.head.sequence, changes } });
  if (written.ok) return undefined;
  // Its workflow comes from a backup. It takes what it lacks from the log with the next thing that happens.
  const reason = `Expected the log to have no more of '${instanceId}' than its workflow, but it has: resume it first`;
  return { code: "instance-not-paused", reason };
}
