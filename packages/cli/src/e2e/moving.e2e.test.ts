import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeWithTemporal, startTemporalServer, type TemporalServer } from "@tutti/engine/testing/temporal";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { CliHouse, until } from "../testing/cli-house.ts";

interface Listed {
  readonly instances: readonly { readonly instanceId: string; readonly status: string; readonly version: string }[];
}

interface Moves {
  readonly moves: readonly { readonly instance: string; readonly moved: boolean }[];
}

interface Tasks {
  readonly tasks: readonly { readonly task: { readonly id: string; readonly assignee: string | null } }[];
}

/** From the moment that the command starts, ms: before, in and after the steps of a move. */
const deathsMs = [900, 1_400, 2_000];

describeWithTemporal("moving between the engines of one folder", () => {
  let server: TemporalServer;
  let house: CliHouse;
  beforeAll(async () => {
    server = await startTemporalServer();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(() => house.close());

  function openHouse(): Promise<CliHouse> {
    return CliHouse.open({ TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: server.namespace() });
  }

  async function deploy(steps: object): Promise<void> {
    const file = join(house.folder, "order.yaml");
    await writeFile(file, stringify({ process: "order", steps }));
    expect((await house.tutti("process", "deploy", file, "--engine", "embedded")).exit).toBe(0);
  }

  const all = async (): Promise<Listed["instances"]> => (await house.json<Listed>("process", "list")).instances;

  test("[C123] an instance goes to Temporal and back, is one all the time, and does what it was to do when it was to", async () => {
    await deploy({ soon: { wait: "8s" }, ask: { user: { title: "Ship it?" } } });
    await house.json("process", "start", "order", "--id", "order-1", "--engine", "embedded");
    const began = Date.now();
    const moved = await house.tutti("process", "move", "order-1", "--to", "temporal", "--reason", "More machines.");
    expect(moved, moved.stderr).toMatchObject({ exit: 0, stdout: "temporal has order-1 now.\n" });
    expect(await all()).toMatchObject([{ instanceId: "order-1", status: "running" }]);
    // Nothing new begins there with what came along.
    const other = await house.tutti("process", "start", "order", "--engine", "temporal");
    expect(other.stderr).toContain("deploy it with --engine temporal");
    await until(async () => (await house.tutti("tasks")).stdout.includes("Ship it?"), 60_000);
    expect(Date.now() - began).toBeGreaterThan(7_000);
    const [task] = (await house.json<Tasks>("tasks")).tasks;
    expect((await house.tutti("task", "claim", task?.task.id ?? "")).exit).toBe(0);
    const [claimed] = (await house.json<Tasks>("tasks")).tasks;
    expect(claimed?.task.assignee).toEqual(expect.any(String));
    expect(await house.json<Moves>("process", "move", "order-1", "--to", "embedded")).toMatchObject({
      moves: [{ instance: "order-1", moved: true }],
    });
    expect(await house.json<Moves>("process", "move", "order", "--to", "embedded")).toMatchObject({
      moves: [{ instance: "order-1", moved: false }],
    });
    expect((await house.json<Tasks>("tasks")).tasks).toEqual([claimed]);
    expect((await house.tutti("process", "log", "order-1")).stdout).toMatch(
      /instance-moved by person:\S+: More machines\./,
    );
    expect((await house.tutti("task", "complete", task?.task.id ?? "")).exit).toBe(0);
    expect((await house.tutti("process", "wait", "order-1")).exit).toBe(0);
    expect(await all()).toMatchObject([{ instanceId: "order-1", status: "completed" }]);
    for (const args of [["--to", "nowhere"], []]) {
      expect((await house.tutti("process", "move", "order-1", ...args)).stderr).toContain("option-invalid");
    }
    const ended = await house.tutti("process", "move", "order-1", "--to", "temporal");
    expect(ended).toMatchObject({ exit: 2, stderr: expect.stringContaining("move-refused") });
  }, 300_000);

  test("[C124] the owner is killed in the middle of moves: the same command finishes each, and nothing is there twice", async () => {
    await deploy({ ask: { user: { title: "Ship it?" } } });
    const ids = deathsMs.map((_, index) => `order-${index + 1}`);
    for (const id of ids) await house.json("process", "start", "order", "--id", id, "--engine", "embedded");
    for (const to of ["temporal", "embedded"]) {
      for (const [index, ms] of deathsMs.entries()) {
        const id = ids[index] ?? "";
        const moving = house.start(["process", "move", id, "--to", to]);
        await sleep(ms);
        if ((await house.ownerPid()) !== undefined) await house.killOwner();
        await moving.done;
        const again = await house.tutti("process", "move", id, "--to", to);
        expect(again.exit, again.stderr).toBe(0);
      }
      const open = (await all()).map(({ instanceId, status }) => `${instanceId} ${status}`).sort();
      expect(open).toEqual(ids.map((id) => `${id} running`));
    }
    for (const id of ids) {
      expect((await house.tutti("task", "complete", `${id}:1`, "--result", "{}")).exit).toBe(0);
      expect((await house.tutti("process", "wait", id)).exit).toBe(0);
    }
  }, 600_000);

  test("[C125] an instance leaves in a file, which is refused when it is damaged, and goes on in another house", async () => {
    await deploy({ ask: { user: { title: "Ship it?" } } });
    await house.json("process", "start", "order", "--id", "order-1", "--engine", "embedded");
    const file = join(house.folder, "order-1.json");
    expect(await house.json("process", "export", "order-1", file)).toMatchObject({ instance: "order-1", file });
    expect(await all()).toEqual([]);
    expect((await house.tutti("process", "resume", "order-1")).stderr).toContain("instance-given-up");
    const again = join(house.folder, "again.json");
    expect((await house.tutti("process", "export", "order-1", again)).exit).toBe(0);
    const text = await readFile(file, "utf8");
    expect(await readFile(again, "utf8")).toBe(text);
    const refusal = async (...args: readonly string[]): Promise<string> =>
      (await house.json<{ readonly error: { readonly code: string } }>("process", ...args)).error.code;
    expect(await refusal("export", "order-1", file)).toBe("file-exists");
    expect(await refusal("export", "nobody", join(house.folder, "nobody.json"))).toBe("instance-not-found");
    for (const damaged of [
      text.slice(0, -100),
      text.replace("Ship it?", "Ship it!"),
      '{"format":"tutti-instance/2"}',
    ]) {
      await writeFile(again, damaged);
      expect(await refusal("import", again)).toBe("instance-file-damaged");
    }
    expect(await refusal("import", join(house.folder, "nobody.json"))).toBe("file-unreadable");
    const other = await openHouse();
    try {
      for (const _ of ["once", "again"]) {
        const imported = await other.tutti("process", "import", file, "--engine", "temporal");
        expect(imported.exit, imported.stderr).toBe(0);
      }
      const refused = await other.tutti("process", "import", file, "--engine", "embedded");
      expect(refused.stderr).toContain("move-refused");
      expect((await other.tutti("task", "complete", "order-1:1", "--result", "{}")).exit).toBe(0);
      expect((await other.tutti("process", "wait", "order-1")).exit).toBe(0);
    } finally {
      await other.close();
    }
  }, 300_000);

  test("[C125] an instance comes back by file from Temporal to an embedded engine of another house", async () => {
    const file = join(house.folder, "back.yaml");
    await writeFile(file, stringify({ process: "back", steps: { ask: { user: { title: "Ship it?" } } } }));
    expect((await house.tutti("process", "deploy", file, "--engine", "temporal")).exit).toBe(0);
    await house.json("process", "start", "back", "--id", "back-1", "--engine", "temporal");
    expect((await house.tutti("task", "claim", "back-1:1")).exit).toBe(0);
    const left = join(house.folder, "back-1.json");
    const exported = await house.tutti("process", "export", "back-1", left);
    expect(exported.exit, exported.stderr).toBe(0);
    expect(await all()).toEqual([]);
    const other = await CliHouse.open();
    try {
      const imported = await other.tutti("process", "import", left, "--engine", "embedded");
      expect(imported.exit, imported.stderr).toBe(0);
      expect((await other.json<Tasks>("tasks")).tasks).toMatchObject([{ task: { assignee: expect.any(String) } }]);
      expect((await other.tutti("task", "complete", "back-1:1", "--result", "{}")).exit).toBe(0);
      expect((await other.tutti("process", "wait", "back-1")).exit).toBe(0);
    } finally {
      await other.close();
    }
  }, 300_000);
});
