import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runCommand, uncaged } from "@tutti/agents";
import { createWorkspace, listWorkspaces } from "@tutti/workspace";
import { afterEach, expect, test } from "vitest";
import { recoverFeature } from "./deps.ts";
import { createWorld, type World } from "./testing/setup.ts";

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.remove();
});

test("[F42] recovery ends leftover processes, then removes every workspace, and nothing else", async () => {
  const world = await createWorld({ base: { a: "a\n" } });
  worlds.push(world);
  const { deps, repository, context } = world;
  const key = { run: "r1", unit: "a", attempt: 1, token: "1" };
  const place = { stateDir: deps.stateDir, base: context.repository.base };
  const workspace = await createWorkspace(repository, { ...key, ...place });
  const watch = deps.processes.watch("an agent");
  const started = Promise.withResolvers<void>();
  const ended = runCommand({
    // It writes as long as it lives: a workspace removed before its end would come back.
    command: "while :; do mkdir -p again; echo x >> again/x; sleep 0.02; done",
    cwd: workspace.tree,
    scratch: join(world.folder, "scratch"),
    cage: uncaged(),
    limits: { wallMs: 30_000 },
    signal: new AbortController().signal,
    onSpawn: (group) => {
      watch.onSpawn(group);
      started.resolve();
    },
  });
  await started.promise;
  const recovered = await recoverFeature(deps);
  expect(recovered).toMatchObject({ processesLeft: 0, workspacesRemoved: 1 });
  expect(recovered.processesEnded).toBeGreaterThanOrEqual(1);
  expect((await ended).cause).toBe("exited");
  expect(existsSync(workspace.folder)).toBe(false);
  expect(await listWorkspaces(deps.stateDir)).toEqual([]);
  expect(readdirSync(join(deps.stateDir, "repositories"))).toHaveLength(1);
  expect(await recoverFeature(deps)).toEqual({ processesEnded: 0, processesLeft: 0, workspacesRemoved: 0 });
});

test("[F16] a unit's own agent goes before the run's, and a named variable is seen by agents alone", async () => {
  const world = await createWorld({ base: { a: "a\n" }, options: { agent: "cli:true", sandbox: "none" } });
  worlds.push(world);
  process.env["TUTTI_TEST_KEY"] = "secret";
  const context = { ...world.context, options: { ...world.context.options, environment: ["TUTTI_TEST_KEY"] } };
  const { agent, cage, commandCage } = await world.deps.agentFor(context, { agent: "cli:false" });
  expect(agent.name).toBe("cli:false");
  expect((await world.deps.agentFor(context, null)).agent.name).toBe("cli:true");
  const command = { argv: ["true"], cwd: world.folder, writable: [], scratch: world.folder };
  expect((await cage.launch(command)).environment["TUTTI_TEST_KEY"]).toBe("secret");
  expect((await commandCage.launch(command)).environment["TUTTI_TEST_KEY"]).toBeUndefined();
  await expect(world.deps.agentFor(context, { agent: "nonsense:x" })).rejects.toMatchObject({ code: "agent-unknown" });
});
