import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWithTemporal, startTemporalServer, type TemporalServer } from "@tutti/engine/testing/temporal";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createScene, type Scene, until } from "../testing/scene.ts";

const definition = `process: ask
steps:
  choose:
    user: { title: "Which plan?" }
`;

interface Listed {
  readonly instances: readonly { readonly instanceId: string; readonly status: string }[];
}

describeWithTemporal("Temporal", () => {
  let server: TemporalServer;
  /** What workers run is made once for all of them. */
  let cache: string;
  const scenes: Scene[] = [];
  beforeAll(async () => {
    cache = mkdtempSync(join(tmpdir(), "tutti-cache-"));
    server = await startTemporalServer();
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(cache, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const scene of scenes.splice(0)) await scene.remove();
  });

  function sceneOnTemporal(more: { readonly [name: string]: string } = {}) {
    const scene = createScene();
    scenes.push(scene);
    const [address, namespace] = [server.address, server.namespace()];
    const environment = { XDG_CACHE_HOME: cache, TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, ...more };
    const tutti = (...args: readonly string[]) => scene.tutti(args, { environment, timeoutMs: 180_000 });
    const json = <T>(...args: readonly string[]) => scene.json<T>(args, { environment, timeoutMs: 180_000 });
    const configure = (file: unknown): void => {
      mkdirSync(scene.state, { recursive: true, mode: 0o700 });
      writeFileSync(join(scene.state, "tutti.json"), JSON.stringify(file));
    };
    return { scene, tutti, json, configure };
  }

  test("[C103] the demo on Temporal ends with the same tree as on the embedded engine", async () => {
    const trees: string[] = [];
    for (const engine of ["temporal", "embedded"]) {
      const { scene, json } = sceneOnTemporal();
      const { branch, tests } = await json<{ readonly branch: string; readonly tests: { readonly passed: boolean } }>(
        ...["demo", "--engine", engine, "--dir", join(scene.folder, "demo")],
      );
      expect(tests.passed).toBe(true);
      trees.push(scene.git("-C", join(scene.folder, "demo", "notes"), "rev-parse", `${branch}^{tree}`));
      const { runs } = await json<{ readonly runs: readonly { readonly status: string }[] }>("list");
      expect(runs).toMatchObject([{ status: "completed" }]);
    }
    expect(trees[0]).toBe(trees[1]);
  }, 900_000);

  test("[C104] both engines in one folder are shown together, and each keeps what began on it", async () => {
    const { scene, tutti, json, configure } = sceneOnTemporal();
    const file = join(scene.folder, "ask.yaml");
    writeFileSync(file, definition);
    for (const [engine, id] of [
      ["embedded", "on-embedded"],
      ["temporal", "on-temporal"],
    ] as const) {
      configure({ engine });
      expect((await tutti("process", "deploy", file)).exit).toBe(0);
      await json("process", "start", "ask", "--id", id);
      // Asking again starts nothing, whichever engine is the chosen one by then.
      configure({ engine: engine === "embedded" ? "temporal" : "embedded" });
      await json("process", "start", "ask", "--id", id);
    }
    const ids = async (): Promise<readonly string[]> =>
      (await json<Listed>("process", "list", "--status", "open")).instances.map(({ instanceId }) => instanceId).sort();
    expect(await ids()).toEqual(["on-embedded", "on-temporal"]);
    const done = await tutti("task", "complete", "on-temporal:1", "--result", "{}");
    expect(done.exit, done.stderr).toBe(0);
    await until(async () => ((await ids()).length === 1 ? true : undefined));
    expect((await tutti("stop")).exit).toBe(0);
    expect(await ids()).toEqual(["on-embedded"]);
    expect((await json<Listed>("process", "list")).instances).toHaveLength(2);
    expect((await tutti("process", "show", "on-temporal")).stdout).toContain("completed");
  });

  test("[C105] large variables stand in the folder of artifacts, encrypted, and the process goes on with them", async () => {
    const key = "0123456789abcdef".repeat(4);
    const { scene, tutti, json, configure } = sceneOnTemporal({ TUTTI_PAYLOAD_KEY: key, TUTTI_ARTIFACT_KEY: key });
    configure({ engine: "temporal", artifacts: "folder" });
    const file = join(scene.folder, "ask.yaml");
    writeFileSync(file, `${definition}variables:\n  text: string\n`);
    const variables = join(scene.folder, "variables.json");
    const text = "a long story ".repeat(30_000);
    writeFileSync(variables, JSON.stringify({ text }));
    expect((await tutti("process", "deploy", file)).exit).toBe(0);
    await json("process", "start", "ask", "--id", "large", "--vars", `@${variables}`);
    const stored = readdirSync(join(scene.state, "artifacts"), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile(),
    );
    expect(stored.length).toBeGreaterThan(0);
    for (const { parentPath, name } of stored) {
      expect(name).toMatch(/\.sealed$/);
      expect(readFileSync(join(parentPath, name)).includes("a long story")).toBe(false);
    }
    expect((await tutti("task", "complete", "large:1", "--result", "{}")).exit).toBe(0);
    expect((await tutti("process", "wait", "large")).exit).toBe(0);
  });
});
