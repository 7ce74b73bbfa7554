import {
  ApplicationFailure,
  defineSignal,
  defineUpdate,
  log,
  setDefaultSignalHandler,
  setHandler,
} from "@temporalio/workflow";
import type { InstanceView, Rejection } from "@tutti/kernel";
import type { LocalActivities } from "../contract.ts";
import { failureOf } from "./failure-of.ts";
import {
  type Given,
  givenTo,
  migrationIn,
  migrationNamed,
  namedCommands,
  refusal,
  type Taking,
} from "./named-commands.ts";
import type { ProcessRun } from "./process-run.ts";

/** What an update answers: the row of the log that it became. */
interface Taken {
  readonly position: number;
}

interface Surroundings {
  readonly local: Pick<LocalActivities, "refusedAtDoor" | "resolveCall">;
  readonly isSecret: boolean;
}

/** Does what was asked. Throws an ApplicationFailure where that is refused. */
type Performer = (given: Given) => Promise<Taken>;

/** Takes all that people say by name, as signals and as updates. */
export function handleNamed(run: ProcessRun, { local, isSecret }: Surroundings): void {
  for (const [name, command] of Object.entries(namedCommands)) {
    const perform: Performer = async (given) => {
      const view = await viewOf(run);
      const { instanceId } = view;
      let position = 0;
      for (const asked of command.asks(given, view)) {
        const refused = await local.refusedAtDoor({ instanceId, command: asked });
        if (refused !== null) throw refusal(refused.code, refused.message);
        const answer = await run.ask(asked);
        if (!answer.ok) throw refusalOf(answer.rejection);
        position = answer.position;
      }
      return { position };
    };
    handle(name, { takes: command, perform, isSecret });
  }
  const migrate: Performer = (given) => migrateRun(run, local, given);
  handle("migrate_instance", { takes: migrationNamed, perform: migrate, isSecret });
  setDefaultSignalHandler((name) => log.warn("nobody takes this signal", { signal: name }));
}

async function migrateRun(run: ProcessRun, local: Surroundings["local"], given: Given): Promise<Taken> {
  const view = await viewOf(run);
  const order = migrationIn(given, view);
  const { process } = order;
  const version = given["version"] as string;
  const routing = { routingKey: view.instanceId, variables: {} };
  const found = await local.resolveCall({ process, binding: { version }, deployment: "", routing });
  if (found === null) {
    throw refusal("process-not-found", `Expected a deployed '${process}@${version}', but there is none`);
  }
  const { hash, deployment } = found;
  const answer = await run.migrate({ ...order, hash, deployment });
  if (!answer.ok) throw refusalOf(answer.rejection);
  return { position: answer.position ?? 0 };
}

async function viewOf(run: ProcessRun): Promise<InstanceView> {
  await run.begun(null);
  const view = run.view();
  if (view === null) throw refusal("instance-not-found", "Expected an instance, but there is none");
  return view;
}

function refusalOf({ code, reason }: Rejection): ApplicationFailure {
  return refusal(code, reason);
}

interface Handled {
  readonly takes: Taking;
  readonly perform: Performer;
  readonly isSecret: boolean;
}

function handle(name: string, { takes, perform, isSecret }: Handled): void {
  const update = async (asked: unknown): Promise<Taken> => {
    try {
      return await perform(givenTo(takes, asked));
    } catch (error) {
      if (!isSecret || !(error instanceof ApplicationFailure)) throw error;
      throw failureOf({ code: error.type ?? "refused", message: error.message }, { isSecret });
    }
  };
  const validator = (asked: unknown): void => {
    givenTo(takes, asked);
  };
  setHandler(defineUpdate<Taken, [unknown]>(name), update, { validator });
  // Nobody waits for the answer to a signal: what is refused changes nothing, and is said in the log.
  setHandler(defineSignal<[unknown]>(name), async (asked) => {
    try {
      await perform(givenTo(takes, asked));
    } catch (error) {
      if (!(error instanceof ApplicationFailure)) throw error;
      const why = isSecret ? {} : { reason: error.message };
      log.warn("a signal was refused", { signal: name, code: error.type, ...why });
    }
  });
}
