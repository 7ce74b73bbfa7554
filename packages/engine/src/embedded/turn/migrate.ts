import { type Command, decide, type Event, pendingEffects } from "@tutti/kernel";
import type { MigrateRequest } from "../../port.ts";
import { countedMove } from "../version/figures.ts";
import { otherProcess } from "../version/other-process.ts";
import { type Named, type Programs, programNotFound } from "../version/programs.ts";
import { subscriptionOf } from "./effects.ts";
import type { Item, TimelessCommand } from "./inbox.ts";
import type { Live } from "./instances.ts";
import { instanceNotFound, run, type Scope, type Wants, wantId, wantProgram } from "./scope.ts";
import type { Draft } from "./turn.ts";

type MigrateItem = Extract<Item, { readonly type: "migrate" }>;

/** The program to go on under. Throws `program-not-found`. */
export function targetOf(programs: Programs, { process, version }: MigrateRequest): Named {
  const named = version === undefined ? programs.latest(process) : programs.version(process, version);
  if (named === undefined) throw programNotFound(process, version);
  return named;
}

export function wantMigration(scope: Scope, { instanceId, request }: MigrateItem, wants: Wants): void {
  wantId(scope, instanceId, wants);
  wantProgram(scope, targetOf(scope.programs, request), wants);
}

export function takeMigration(scope: Scope, draft: Draft, { instanceId, request, answer }: MigrateItem): void {
  const live = scope.instances.id(instanceId);
  if (live === undefined) return answer.reject(scope.refusal({ instanceId }) ?? instanceNotFound(instanceId));
  const { process, version, mapping = {}, reason, actor } = request;
  const named = targetOf(scope.programs, request);
  const to = scope.programs.loaded(named.hash);
  if (to === undefined) return answer.reject(programNotFound(process, version));
  if (process !== live.record.process) {
    return answer.resolve({ ok: false, rejection: otherProcess(live.record.process, process) });
  }
  const command: TimelessCommand = { type: "migrate-instance", to, mapping, reason, actor };
  if (request.dryRun === true) {
    const decision = decide(live.program, live.state, { ...command, at: live.state.head.at } as Command);
    const tried = "rejection" in decision ? { ok: false as const, ...decision } : { ok: true as const, ...decision };
    draft.answers.push(() => answer.resolve(tried.ok ? { ...tried, position: null } : tried));
    return;
  }
  const result = run({ scope, draft }, live, command);
  if (result instanceof Error) return answer.reject(result);
  if (result !== undefined) {
    draft.answers.push(() => answer.resolve({ ok: false, rejection: result }));
    return;
  }
  move(draft, live, named);
  const position = draft.numbers.position;
  const events: readonly Event[] = draft.rows.at(-1)?.events ?? [];
  draft.answers.push(() => {
    scope.work.reread(live.record.number);
    answer.resolve({ ok: true, position, events });
  });
}

/** What is kept of it beside its state follows; its calls are bound to what was deployed with the new program. */
function move(draft: Draft, live: Live, { hash, deployment }: Named): void {
  const { record, state } = live;
  const { process, version } = state.head;
  const before = { ...record };
  Object.assign(record, { process, version, hash, deployment });
  draft.counted.push(...countedMove(record, before));
  draft.changes.push({ type: "instance-move", record });
  for (const effect of pendingEffects(state)) {
    if (effect.type !== "open-subscription") continue;
    draft.changes.push({
      type: "subscription-put",
      subscription: subscriptionOf(live, effect, draft.numbers.position),
    });
  }
}
