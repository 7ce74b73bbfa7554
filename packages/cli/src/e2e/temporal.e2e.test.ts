import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createHost } from "@tutti/definition";
import { openReader, openSqliteReader, verifyLog } from "@tutti/engine";
import {
  describeWithTemporal,
  startTemporalServer,
  type TemporalServer,
  temporalFolder,
} from "@tutti/engine/testing/temporal";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { CliHouse, gitAnswer, until } from "../testing/cli-house.ts";

interface Demo {
  readonly branch: string;
  readonly tests: { readonly passed: boolean };
}

interface Listed {
  readonly instances: readonly { readonly instanceId: string; readonly status: string }[];
}

/** Numbers of the events of each instance, as the log has them. */
async function sequencesIn(path: string): Promise<Map<string, number[]>> {
  const reader = openReader({ store: openSqliteReader(path), host: createHost() });
  const found = new Map<string, number[]>();
  for await (const { instanceId, sequence } of reader.history()) {
    found.set(instanceId, [...(found.get(instanceId) ?? []), sequence]);
  }
  await reader.close();
  return found;
}

function numbersTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

describeWithTemporal("Temporal", () => {
  let server: TemporalServer;
  let folder: string;
  const houses: CliHouse[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tutti-temporal-"));
    server = await startTemporalServer();
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const house of houses.splice(0)) await house.close();
  });

  /** A person's machine that reaches a server of Temporal. */
  async function houseOn(place: TemporalServer = server, more: NodeJS.ProcessEnv = {}): Promise<CliHouse> {
    const namespace = place.namespace();
    const where = { TEMPORAL_ADDRESS: place.address, TEMPORAL_NAMESPACE: namespace };
    const house = await CliHouse.open({ ...where, ...more });
    houses.push(house);
    return house;
  }

  async function configure(house: CliHouse, file: { readonly [key: string]: string }): Promise<void> {
    await mkdir(house.state, { recursive: true, mode: 0o700 });
    await writeFile(join(house.state, "tutti.json"), JSON.stringify(file));
  }

  test("[C103] the demo on Temporal ends with the same tree as on the embedded engine", async () => {
    const trees: string[] = [];
    for (const engine of ["temporal", "embedded"]) {
      const house = await houseOn();
      const folder = join(house.folder, "demo");
      const { branch, tests } = await house.json<Demo>("demo", "--engine", engine, "--dir", folder);
      expect(tests.passed).toBe(true);
      trees.push(await gitAnswer(join(folder, "notes"), "rev-parse", `${branch}^{tree}`));
      expect(await house.json("list")).toMatchObject({ runs: [{ status: "completed" }] });
    }
    expect(trees[0]).toBe(trees[1]);
  }, 900_000);

  test("[C101] a process runs as the forerunners' configuration says, on their queue", async () => {
    const house = await CliHouse.open();
    houses.push(house);
    const namespace = server.namespace();
    const where = { address: server.address, namespace, task_queues: { orchestrator: "aidp-orchestrator" } };
    await mkdir(house.state, { recursive: true, mode: 0o700 });
    const written = { orchestration: { engine: "temporal", temporal: where } };
    await writeFile(join(house.state, "tutti.json"), JSON.stringify(written));
    const file = join(house.folder, "soon.yaml");
    await writeFile(file, stringify({ process: "soon", steps: { wait: { wait: "100ms" } } }));
    const deployed = await house.tutti("process", "deploy", file);
    expect(deployed.exit, deployed.stderr).toBe(0);
    await house.json("process", "start", "soon", "--id", "soon-1");
    expect((await house.tutti("process", "wait", "soon-1")).exit).toBe(0);
    const asked = ["workflow", "describe", "--workflow-id", "soon-1", "--output", "json", "--namespace", namespace];
    const { stdout } = await promisify(execFile)(join(temporalFolder(), "temporal"), [
      ...asked,
      "--address",
      server.address,
    ]);
    expect(stdout).toContain('"aidp-orchestrator"');
    expect(stdout).toContain("WORKFLOW_EXECUTION_STATUS_COMPLETED");
  });

  test("[C104] both engines in one folder are shown together, and each keeps what began on it", async () => {
    const house = await houseOn();
    const file = join(house.folder, "ask.yaml");
    await writeFile(file, stringify({ process: "ask", steps: { choose: { user: { title: "Which plan?" } } } }));
    const deployed = await house.tutti("process", "deploy", file, "--engine", "embedded");
    expect(deployed.stderr).toContain("process start ask --engine embedded");
    const refused = await house.tutti("process", "start", "ask", "--engine", "temporal");
    expect(refused.stderr).toContain("it is on embedded alone: deploy it with --engine temporal");
    expect((await house.tutti("process", "start", "askk")).stderr).toContain("Expected a deployed process 'askk'");
    for (const [engine, id] of [
      ["embedded", "on-embedded"],
      ["temporal", "on-temporal"],
    ] as const) {
      await configure(house, { engine });
      expect((await house.tutti("process", "deploy", file)).exit).toBe(0);
      await house.json("process", "start", "ask", "--id", id);
      // Asking again starts nothing, whichever engine is the chosen one by then.
      await configure(house, { engine: engine === "embedded" ? "temporal" : "embedded" });
      await house.json("process", "start", "ask", "--id", id);
    }
    const open = async (): Promise<readonly string[]> =>
      (await house.json<Listed>("process", "list", "--status", "open")).instances
        .map(({ instanceId }) => instanceId)
        .sort();
    expect(await open()).toEqual(["on-embedded", "on-temporal"]);
    const done = await house.tutti("task", "complete", "on-temporal:1", "--result", "{}");
    expect(done.exit, done.stderr).toBe(0);
    await until(async () => (await open()).length === 1, 30_000);
    expect((await house.tutti("stop")).exit).toBe(0);
    expect(await open()).toEqual(["on-embedded"]);
    expect((await house.json<Listed>("process", "list")).instances).toHaveLength(2);
    expect((await house.tutti("process", "show", "on-temporal")).stdout).toContain("completed");
  });

  test("[C110, TE11] a server that is away is said or waited for; what was open goes on when it is back, each event once", async () => {
    const own = await startTemporalServer({ database: join(folder, "temporal.db") });
    try {
      const house = await houseOn(own);
      await configure(house, { engine: "temporal" });
      const file = join(house.folder, "ticks.yaml");
      const steps = { one: { wait: "2s" }, two: { wait: "2s" }, ask: { user: { title: "Enough?" } } };
      await writeFile(file, stringify({ process: "ticks", steps }));
      expect((await house.tutti("process", "deploy", file)).exit).toBe(0);
      expect((await house.tutti("process", "deploy", file, "--engine", "embedded")).exit).toBe(0);
      await house.json("process", "start", "ticks", "--id", "before");
      await own.stop();
      const refused = await house.tutti("process", "start", "ticks", "--id", "refused");
      expect(refused.exit).toBe(1);
      expect(refused.stderr).toContain("temporal-unreachable");
      const listed = await house.json<Listed>("process", "list");
      expect(listed.instances).toMatchObject([{ instanceId: "before", status: "running" }]);
      await house.json("process", "start", "ticks", "--id", "beside", "--engine", "embedded");
      const waiting = house.start(["process", "start", "ticks", "--id", "waited", "--wait"]);
      await waiting.sees(/waiting until it does/);
      await own.start();
      const { exit, stderr } = await waiting.done;
      expect(exit, stderr).toBe(0);
      for (const id of ["before", "waited", "beside"]) expect((await house.tutti("process", "wait", id)).exit).toBe(8);
      expect((await house.tutti("stop")).exit).toBe(0);
      const log = join(house.state, "temporal.sqlite");
      verifyLog(log);
      expect(await sequencesIn(log)).toEqual(
        new Map([
          ["before", numbersTo(15)],
          ["waited", numbersTo(15)],
        ]),
      );
    } finally {
      await own.stop();
    }
  });

  test("[C105] large variables stand in the folder of artifacts, encrypted, and the process goes on with them", async () => {
    const key = "0123456789abcdef".repeat(4);
    const house = await houseOn(server, { TUTTI_PAYLOAD_KEY: key, TUTTI_ARTIFACT_KEY: key });
    await configure(house, { engine: "temporal", artifacts: "folder" });
    const file = join(house.folder, "ask.yaml");
    const steps = { choose: { user: { title: "Which plan?" } } };
    await writeFile(file, stringify({ process: "ask", variables: { text: "string" }, steps }));
    const variables = join(house.folder, "variables.json");
    const text = "a long story ".repeat(30_000);
    await writeFile(variables, JSON.stringify({ text }));
    expect((await house.tutti("process", "deploy", file)).exit).toBe(0);
    await house.json("process", "start", "ask", "--id", "large", "--vars", `@${variables}`);
    const stored = readdirSync(join(house.state, "artifacts"), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile(),
    );
    expect(stored.length).toBeGreaterThan(0);
    for (const { parentPath, name } of stored) {
      expect(name).toMatch(/\.sealed$/);
      expect(readFileSync(join(parentPath, name)).includes("a long story")).toBe(false);
    }
    expect((await house.tutti("task", "complete", "large:1", "--result", "{}")).exit).toBe(0);
    expect((await house.tutti("process", "wait", "large")).exit).toBe(0);
  });
});
