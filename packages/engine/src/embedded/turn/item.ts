import { instanceView, lookup } from "@tutti/kernel";
import { beginAnew, takeBegin, wantBegin } from "../message/begin.ts";
import { takeDelivery, wantDelivery } from "../message/delivery.ts";
import { mustWait, publish, wantChannel, wantPublication } from "../message/publish.ts";
import { takeSignal, wantSignal } from "../message/signals.ts";
import { renewSchedules, takeFiring, wantFiring } from "../time/schedules.ts";
import { checkPlan } from "../version/rollouts.ts";
import { takeFork, wantFork } from "./fork.ts";
import type { Item, OwnCommand } from "./inbox.ts";
import type { Live } from "./instances.ts";
import { takeMigration, wantMigration } from "./migrate.ts";
import { takeAdopt, takeRelease, wantAdopt, wantRelease } from "./move.ts";
import { type InTurn, instanceNotFound, run, type Scope, type Wants, wantId, wantNumber } from "./scope.ts";
import { takeStart, wantStart } from "./start.ts";
import type { Draft } from "./turn.ts";

/** `wants` runs before the instances are loaded, `take` once they are. Neither may fail but by throwing to the caller. */
interface ItemHandler<I> {
  readonly wants: (scope: Scope, item: I, wants: Wants) => void;
  readonly take: (scope: Scope, draft: Draft, item: I) => void;
}

type ItemHandlers = { readonly [K in Item["type"]]: ItemHandler<Extract<Item, { readonly type: K }>> };

const handlers: ItemHandlers = lookup({
  view: {
    wants: (scope, item, wants) => wantId(scope, item.instanceId, wants),
    take: (scope, _draft, { instanceId, answer }) => {
      const live = scope.instances.id(instanceId);
      if (live === undefined) answer.reject(scope.refusal({ instanceId }) ?? instanceNotFound(instanceId));
      else answer.resolve(instanceView(live.program, live.state));
    },
  },
  command: {
    wants: (scope, item, wants) => wantId(scope, item.instanceId, wants),
    take: (scope, draft, { instanceId, command, answer }) => {
      const live = scope.instances.id(instanceId);
      if (live === undefined) {
        answer.reject(scope.refusal({ instanceId }) ?? instanceNotFound(instanceId));
        return;
      }
      const result = run({ scope, draft }, live, command);
      if (result instanceof Error) {
        answer.reject(result);
        return;
      }
      const position = draft.numbers.position;
      draft.answers.push(() =>
        answer.resolve(result === undefined ? { ok: true, position } : { ok: false, rejection: result }),
      );
    },
  },
  start: { wants: wantStart, take: takeStart },
  migrate: { wants: wantMigration, take: takeMigration },
  fork: { wants: wantFork, take: takeFork },
  release: { wants: wantRelease, take: takeRelease },
  adopt: { wants: wantAdopt, take: takeAdopt },
  own: {
    wants: (scope, item, wants) => wantNumber(scope, item.instance, wants),
    take: (scope, draft, { instance, command }) => {
      const live = scope.instances.number(instance);
      if (live !== undefined) takeOwn({ scope, draft }, live, command);
      else if (command.type !== "fire-timer") scope.work.finished(instance, command.key);
    },
  },
  deliver: { wants: wantDelivery, take: takeDelivery },
  load: {
    wants: (scope, item, wants) => wantNumber(scope, item.instance, wants),
    take: (scope, draft, { instance }) => {
      const live = scope.instances.number(instance);
      if (live === undefined) return;
      draft.touch(live);
      draft.loaded.push(live);
    },
  },
  acquit: {
    wants: (scope, item, wants) => wantNumber(scope, item.instance, wants),
    take: (scope, draft, { instance }) => {
      const live = scope.instances.number(instance);
      // One that cannot even be read stays listed.
      if (live === undefined) return;
      draft.answers.push(() => scope.listed.delete(instance));
      draft.touch(live);
      draft.acquit(live.record);
    },
  },
  deploy: {
    wants: () => undefined,
    take: (scope, draft, { deployment, documents, starts, answer }) => {
      const deployed = deployment.programs.map((each) => ({ ...each, starts: starts[each.hash] ?? [] }));
      renewSchedules({ scope, draft }, deployed);
      for (const { process, starts: triggers } of deployed) {
        if (triggers.some(({ kind }) => kind === "message")) beginAnew({ scope, draft }, process);
      }
      const number = ++draft.numbers.deployment;
      draft.changes.push({ type: "deployment-put", deployment, number, documents, starts });
      draft.answers.push(() => {
        scope.programs.add({ deployment, number, starts });
        answer.resolve(deployment);
      });
    },
  },
  publish: {
    wants: (scope, { publication }, wants) => wantPublication(scope, publication, wants),
    take: (scope, draft, item) => {
      if (mustWait({ scope, draft }, item.publication)) {
        draft.later.push(item);
        return;
      }
      const correlated = publish({ scope, draft }, item.publication);
      draft.answers.push(() => item.answer.resolve(correlated));
    },
  },
  broadcast: { wants: wantSignal, take: takeSignal },
  rollout: {
    wants: () => undefined,
    take: (scope, draft, { process, plan, answer }) => {
      checkPlan(scope.programs, process, plan);
      draft.plans.push({ process, plan, answer });
    },
  },
  begin: { wants: wantBegin, take: takeBegin },
  match: {
    wants: (scope, { unmatched }, wants) => {
      if (unmatched.waiting !== undefined) wantNumber(scope, unmatched.waiting.instance, wants);
      wantChannel(wants, unmatched);
    },
    take: (scope, draft, { unmatched }) => {
      scope.channels.waited(unmatched);
      draft.exchange.named.push(unmatched);
    },
  },
  schedule: {
    wants: (scope, { firing }, wants) => wantFiring(scope, firing, wants),
    take: (scope, draft, item) => {
      if (!takeFiring({ scope, draft }, item.firing)) draft.later.push(item);
    },
  },
  forget: {
    wants: () => undefined,
    take: (_scope, draft) => {
      draft.changes.push({ type: "messages-forget", until: draft.now });
      draft.forgets = true;
    },
  },
  slots: {
    wants: () => undefined,
    take: (scope, draft, { queue, slots, answer }) => {
      draft.changes.push({ type: "slots-put", queue, slots });
      draft.answers.push(() => {
        scope.work.adjust(queue, slots);
        answer.resolve();
      });
    },
  },
});

export function wantItem(scope: Scope, item: Item, wants: Wants): void {
  // Indexing by a union loses which handler belongs to which item; the type of `handlers` has proven the pairing.
  (handlers[item.type] as ItemHandler<Item>).wants(scope, item, wants);
}

export function takeItem(scope: Scope, draft: Draft, item: Item): void {
  (handlers[item.type] as ItemHandler<Item>).take(scope, draft, item);
}

/** The outcome reached nobody: the job is not open any more, so the worker's word no longer counts. */
const lateCodes: ReadonlySet<string> = new Set(["job-not-found", "instance-ended", "instance-not-found"]);

function takeOwn({ scope, draft }: InTurn, live: Live, command: OwnCommand): void {
  const { number, instanceId } = live.record;
  const result = run({ scope, draft }, live, command);
  if (result === undefined) return;
  if (command.type === "fire-timer") {
    const timer = live.state.timers.get(command.key);
    // The clock went back. While paused nothing is to be done: resuming arms its timers anew.
    if (!(result instanceof Error) && result.code === "timer-not-due" && timer !== undefined) {
      draft.answers.push(() => scope.timers.arm({ instance: number, key: command.key, due: timer.due }));
    }
    return;
  }
  const finished = (): void => scope.work.finished(number, command.key);
  if (result instanceof Error || lateCodes.has(result.code) || command.type === "fail-job") {
    draft.answers.push(finished);
    if (!(result instanceof Error) && !lateCodes.has(result.code)) {
      scope.warn("a job's failure was refused", { instanceId, key: command.key, reason: result.reason });
    }
    return;
  }
  const error = { code: result.code, message: `What the job gave was refused: ${result.reason}.` };
  const follow: OwnCommand = { type: "fail-job", key: command.key, error, retryable: false };
  scope.inbox.push({ type: "own", instance: number, command: follow });
}
