import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import { AppError, isEnded, must, snapshotState } from "@tutti/kernel";
import { movedInstance } from "../embedded/log/moved-instance.ts";
import type { Change, InstanceRecord, Standing } from "../embedded/store.ts";
import { rebuild } from "../embedded/turn/instances.ts";
import { bringing } from "../embedded/version/programs.ts";
import { adoptedRecord, eventsIn, moveBusy, moveRefused, rowsLacking, staysFor } from "../moving.ts";
import type { AdoptOptions, MovedInstance } from "../port.ts";
import { type Asked, askExecution, type Refused } from "./ask-execution.ts";
import { type Adopted, names, type ProcessInput, type Projection, type ReleaseAnswer } from "./contract.ts";
import { askMsMax } from "./courier.ts";
import { executionOf } from "./held.ts";
import { type BeginningOptions, rowsBegunWith, stateAfter } from "./rows-begun-with.ts";
import { noNumber, subscriptionsOf } from "./workflow/changes.ts";

interface MovesOptions extends BeginningOptions {
  readonly client: Client;
}

/** How soon again an execution is looked at that is about to end. */
const lookAgainMs = 50;

/**
 * Instances that go to another engine, and come from one. Whoever gives one up is its execution, which ends with that.
 * One that comes is written into the log first, so its execution begins with what the log has.
 */
export class Moves {
  readonly #options: MovesOptions;

  constructor(options: MovesOptions) {
    this.#options = options;
  }

  /** As `askExecution`. One that came, and never began because whoever wrote it into the log died then, begins first. */
  ask<A extends { readonly ok: boolean }>(
    asked: Asked,
    refused: () => Promise<A | Refused | undefined>,
  ): Promise<A | Refused> {
    const { client, courier } = this.#options;
    const answer = askExecution<A>(client, asked, async () => {
      const refusal = await refused();
      if (refusal === undefined) await this.#beginIfUnheard(asked.instanceId);
      return refusal;
    });
    return courier.answered(answer);
  }

  async #beginIfUnheard(instanceId: string): Promise<void> {
    const { record, rows } = await this.#options.standings.stored(instanceId);
    const isUnheard = record.copied > 0 && eventsIn(rows) === record.copied + 1;
    if (isUnheard) await this.#begin(record);
  }

  /** Rejects with AppErrors `move-refused` and `instance-not-found`. */
  async release(instanceId: string): Promise<MovedInstance> {
    const { log, client, standings } = this.#options;
    // What cannot be given whole is not given up.
    await movedInstance(log, instanceId);
    if (!(await this.#hasMoved(instanceId))) {
      const { state } = await standings.of(instanceId);
      const reason = isEnded(state) ? `Expected '${instanceId}' to be open, but it has ended` : staysFor(state);
      if (reason !== undefined) throw moveRefused(reason);
      const [job] = (await executionOf(client, instanceId)).workedOn;
      if (job !== undefined) throw moveBusy(instanceId, `a job '${job}'`);
      const asked = { instanceId, update: { name: names.release }, asked: null };
      const answer = await this.ask<ReleaseAnswer>(asked, async () =>
        (await this.#hasMoved(instanceId)) ? { ok: true } : undefined,
      );
      if (!answer.ok) throw moveRefused(answer.rejection.reason);
    }
    await this.#untilClosed(instanceId);
    return movedInstance(log, instanceId);
  }

  async #hasMoved(instanceId: string): Promise<boolean> {
    const { instances } = await this.#options.log.find({ instanceIds: [instanceId], numbers: [], requestIds: [] });
    return instances[0]?.record.status === "moved";
  }

  /** One that comes back needs an execution of its own. */
  async #untilClosed(instanceId: string): Promise<void> {
    const { client } = this.#options;
    for (const until = Date.now() + askMsMax; (await executionOf(client, instanceId)).isRunning; ) {
      if (Date.now() > until) throw moveRefused(`Expected the workflow of '${instanceId}' to end, but it did not`);
      await sleep(lookAgainMs);
    }
  }

  /** Rejects with AppError `move-refused`. */
  async adopt(moved: MovedInstance, by: AdoptOptions): Promise<void> {
    for (const document of moved.programs) this.#options.definitions.programs.load(document);
    await this.#bring(moved);
    await this.#begin(await this.#write(moved, by));
  }

  /** Unless it has an execution. */
  async #begin(record: InstanceRecord): Promise<void> {
    const { courier, clock } = this.#options;
    const { instanceId, businessKey, process, version, hash, deployment, requestId } = record;
    const input: ProcessInput = {
      ...{ hash, deployment, requestId, askedAt: clock.now(), adopted: true },
      create: {
        ...{ type: "create-instance", instanceId, rootId: instanceId, variables: {}, actor: instanceId },
        ...(businessKey === null ? {} : { businessKey }),
      },
    };
    for (const until = Date.now() + askMsMax; record.endedAt === null; await sleep(lookAgainMs)) {
      const began = await courier.begin({ process, version }, input, { isBack: true });
      if (began?.ok === true) return;
      // The execution that gave it up may be about to end.
      if (Date.now() < until) continue;
      throw new AppError("engine-busy", `Expected '${instanceId}' to begin, but its workflow before has not ended.`);
    }
  }

  /** What binds its calls and undoes them, where nobody has deployed that here. */
  async #bring(moved: MovedInstance): Promise<void> {
    const { projector, definitions } = this.#options;
    await definitions.look();
    const brought = bringing(moved, definitions.programs);
    if (brought.length === 0) return;
    await projector.define(() => brought);
    await definitions.look();
  }

  /** Gives its record as the log has it then. */
  async #write(moved: MovedInstance, by: AdoptOptions): Promise<InstanceRecord> {
    const { log, projector, standings, wake } = this.#options;
    const { instanceId, requestId, hash } = moved;
    await standings.program(hash);
    const wanted = {
      instances: [{ instanceId, sequence: 1 }],
      requestIds: requestId === null ? [] : [requestId],
      hashes: [hash],
    };
    let refusal: Error | undefined;
    await projector.together(wanted, (standing) => {
      try {
        return this.#adopted(moved, by, standing);
      } catch (error) {
        refusal = error instanceof Error ? error : new Error(String(error));
        return [];
      }
    });
    if (refusal !== undefined) throw refusal;
    const { instances } = await log.find({ instanceIds: [instanceId], numbers: [], requestIds: [] });
    const stored = must(instances[0], "it was written");
    const { record } = stored;
    const state = rebuild(stored);
    const of = { record, state, program: await standings.program(record.hash) };
    const { sequence } = state.head;
    await wake({ instanceId, rows: [], beside: { sequence, changes: subscriptionsOf(of) } });
    return record;
  }

  /** What the log gets, decided from what it has. Throws `move-refused`. */
  #adopted(moved: MovedInstance, by: AdoptOptions, { instances, requests }: Standing): readonly Projection[] {
    const { instanceId, requestId, hash } = moved;
    const known = instances.get(instanceId);
    const rows = rowsLacking(moved, known && { record: known.record, events: eventsIn(known.rows) });
    if (rows === undefined) return [];
    const program = must(this.#options.definitions.programs.loaded(hash), "it was loaded before the turn");
    const { id: process, version } = program.document;
    const { state } = stateAfter(moved.rows);
    const { status, startedAt, endedAt } = state.head;
    const names = adoptedRecord(moved, { number: noNumber, process, version });
    // Each engine has its own requests: one that has begun something else here stays that one's.
    const isUsed = known === undefined && requestId !== null && requests.has(requestId);
    const record: InstanceRecord = {
      ...names,
      requestId: isUsed ? null : (known?.record.requestId ?? requestId),
      ...{ status: status ?? "paused", held: false, incidents: 0, startedAt, endedAt },
    };
    const put = (as: InstanceRecord): readonly Change[] =>
      known === undefined
        ? [{ type: "instance-put", record: as }]
        : [
            { type: "instance-move", record: as },
            { type: "instance-update", record: as },
          ];
    const begun = rowsBegunWith({ record, state, program }, { rows, put, by, now: this.#options.clock.now() });
    if ("rejection" in begun) throw moveRefused(begun.rejection.reason);
    return [{ instanceId, rows: begun }];
  }

  /** For the first step of its execution; null: it has moved on meanwhile. */
  async adopted(instanceId: string): Promise<Adopted | null> {
    const { instances } = await this.#options.log.find({ instanceIds: [instanceId], numbers: [], requestIds: [] });
    const stored = must(instances[0], "it was written before its execution began");
    if (stored.record.status === "moved") return null;
    return { state: snapshotState(rebuild(stored)), record: { ...stored.record, number: noNumber } };
  }
}
