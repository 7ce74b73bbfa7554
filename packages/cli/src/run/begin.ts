import { type RunContext, shareRun } from "@tutti/feature";
import { AppError, type JsonObject } from "@tutti/kernel";
import type { StartRun } from "@tutti/protocol";
import { fetchBase, openRepository } from "@tutti/workspace";
import type { Sharing } from "../compose.ts";
import type { HouseEngine } from "../engines/joined-engine.ts";
import type { StateFolder } from "../state.ts";

/**
 * Starts a run that was prepared: brings its base into Tutti's own repository, then makes the instance. The first
 * can be repeated and the second is idempotent by the run's id, so asking twice starts once.
 */
export async function beginRun(
  engine: Pick<HouseEngine, "start">,
  asked: { readonly state: StateFolder; readonly start: StartRun; readonly sharing: Sharing },
): Promise<string> {
  const { state, start, sharing } = asked;
  const { id, feature, repository: source, plan, actor } = start;
  checkEnvironment(start.options);
  const repository = await openRepository({ stateDir: state.path, source });
  await fetchBase(repository, { run: id, source, commit: source.commit });
  const context: RunContext = {
    run: id,
    repository: { path: source.root, gitDir: repository.gitDir, base: source.commit, branch: source.branch },
    options: start.options as unknown as RunContext["options"],
  };
  const shared = sharing === undefined ? {} : { shared: await shareRun(repository, context, await sharing()) };
  return engine.start({
    requestId: id,
    process: "feature",
    instanceId: id,
    variables: { feature, context: { ...context, ...shared } as unknown as JsonObject, planned: plan },
    actor,
  });
}

/** Agents get the variables from the owner, whose environment may be older than the person's. */
function checkEnvironment({ environment }: JsonObject): void {
  const names = Array.isArray(environment) ? environment.map(String) : [];
  const missing = names.filter((name) => process.env[name] === undefined);
  if (missing.length === 0) return;
  throw new AppError(
    "environment-missing",
    `Expected ${missing.join(", ")} in the environment of the owner (process ${process.pid}), but it is not there`,
    { details: { missing } },
  );
}
