import {
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  patched,
  proxyLocalActivities,
  setHandler,
} from "@temporalio/workflow";
import type { Host, InstanceOutcome } from "@tutti/kernel";
import {
  type Began,
  type CommandAnswer,
  type LocalActivities,
  type MigrateAnswer,
  type MigrateOrder,
  names,
  type ProcessInput,
  type ReleaseAnswer,
  type UntimedCommand,
} from "../contract.ts";
import {
  type BrokerInput,
  brokerNames,
  type Parcel,
  type ParcelAnswer,
  type PostActivities,
} from "../message/contract.ts";
import { runBroker } from "./broker.ts";
import { serverClock, type WorkflowClock } from "./clock.ts";
import { failureOf } from "./failure-of.ts";
import { handleNamed } from "./named-handlers.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { type Ending, ProcessRun } from "./process-run.ts";
import { questions } from "./questions.ts";

export type { WorkflowClock } from "./clock.ts";

const begin = defineUpdate<Began, [string]>(names.begin);
const command = defineUpdate<CommandAnswer, [UntimedCommand]>(names.command);
const migrate = defineUpdate<MigrateAnswer, [MigrateOrder]>(names.migrate);
const tryMigration = defineUpdate<MigrateAnswer, [MigrateOrder]>(names.tryMigration);
const release = defineUpdate<ReleaseAnswer, []>(names.release);
const tell = defineSignal<[UntimedCommand]>(names.tell);
const deliver = defineUpdate<ParcelAnswer, [Parcel]>(brokerNames.deliver);

export interface ProcessWorkflowOptions {
  readonly host: Host;
  /** Made for each execution; it begins at the time the start was asked for. */
  readonly clock?: (askedAt: number) => WorkflowClock;
  /** Default 20 000, of the 51 200 that Temporal allows: from then on jobs wait until it can begin a new history. */
  readonly historyEventsMax?: number;
}

type Input = ProcessInput | BrokerInput;

/**
 * The one workflow that runs every process, and the brokers between them: to be the default export of the module that a
 * worker bundles, since that takes all types that have no export of their own.
 */
export function processWorkflow({
  host,
  clock = serverClock,
  historyEventsMax = 20_000,
}: ProcessWorkflowOptions): (input: Input) => Promise<InstanceOutcome | undefined> {
  return async (input) => {
    if ("broker" in input) {
      const tasks = await runBroker(input, historyEventsMax);
      if (tasks.length === 0) return undefined;
      return continueAsNew<(input: BrokerInput) => Promise<undefined>>({ ...input, tasks });
    }
    const oneAtATime = new OneAtATime(() => patched("one-at-a-time"));
    const activities = proxyLocalActivities<LocalActivities & PostActivities>({
      startToCloseTimeout: "10s",
      retry: { initialInterval: "100ms", maximumInterval: "5s" },
    });
    const local = oneAtATime.inTurn(activities);
    const around = { host, clock: clock(input.askedAt), local, oneAtATime, historyEventsMax };
    const run = new ProcessRun(input, around);
    setHandler(begin, (requestId) => run.begun(requestId));
    setHandler(command, (asked) => run.ask(asked));
    setHandler(migrate, (order) => run.migrate(order));
    setHandler(release, () => run.release());
    setHandler(tryMigration, (order) => run.tryMigration(order));
    setHandler(tell, (told) => run.tell(told));
    setHandler(deliver, (parcel) => run.deliver(parcel));
    const isSecret = input.secret === true;
    handleNamed(run, { local, isSecret });
    for (const [name, { description, answer }] of Object.entries(questions)) {
      const answered = (asked: unknown): unknown => {
        const view = run.view();
        return view === null ? null : answer(view, asked, around.clock.now());
      };
      setHandler(defineQuery<unknown, [unknown]>(name), answered, { description });
    }
    const cancelled = { type: "cancel-instance", reason: "Its workflow was cancelled.", actor: "temporal" } as const;
    // The instance ends by its own rules, also when Temporal's tools cancel it.
    CancellationScope.current().cancelRequested.catch(() => run.tell(cancelled));
    const ending = await CancellationScope.nonCancellable(() => run.live());
    if (ending.type === "moved") return undefined;
    if (ending.type !== "carried") return outcomeOf(ending, { isSecret, cause: run.behind.cause });
    // What it undoes is in its state by now.
    const { undoes: _, ...create } = input.create;
    const { fork: __, adopted: ___, ...left } = input;
    return continueAsNew<(input: ProcessInput) => Promise<InstanceOutcome | undefined>>({
      ...left,
      create,
      carried: ending.carried,
    });
  };
}

/** What did not come to a good end has failed for Temporal, too, and says why. */
function outcomeOf(
  ending: Exclude<Ending, { readonly type: "carried" | "moved" }>,
  behind: { readonly isSecret: boolean; readonly cause: Error | undefined },
): InstanceOutcome {
  switch (ending.type) {
    case "completed":
    case "cancelled":
      return ending;
    case "failed":
      throw failureOf(ending.error, behind);
    case "refused":
      throw failureOf({ code: ending.rejection.code, message: ending.rejection.reason }, behind);
    case "given":
      throw ApplicationFailure.nonRetryable("The request had begun another instance.", "instance-exists");
  }
}
