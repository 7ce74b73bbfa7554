import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeWithPostgres, type PostgresServer, startPostgres } from "@tutti/engine/testing/postgres";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { CliHouse, type RunningCli, until } from "./testing/cli-house.ts";

const definition = `process: ask
steps:
  choose:
    user: { title: "Which plan?" }
`;

describeWithPostgres("a store in PostgreSQL", () => {
  let server: PostgresServer;
  let schemas = 0;
  const houses: CliHouse[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.dispose());
  afterEach(async () => {
    for (const house of houses.splice(0)) await house.close();
  });

  function freshStore(): string {
    schemas++;
    return server.url(`cli_${schemas}`);
  }

  /** A machine of its own: another home, another state folder. */
  async function machine(environment: NodeJS.ProcessEnv = {}): Promise<CliHouse> {
    const made = await CliHouse.open(environment);
    houses.push(made);
    return made;
  }

  async function serving(house: CliHouse, ...more: string[]): Promise<RunningCli> {
    const running = house.start(["serve", ...more]);
    const answers = join(house.state, "owner.sock");
    await until(async () => existsSync(answers) && (await house.ownerPid()) === running.child.pid, 60_000);
    return running;
  }

  async function deploy(house: CliHouse): Promise<void> {
    const file = join(house.folder, "ask.yaml");
    await writeFile(file, definition);
    const { exit, stderr } = await house.tutti("process", "deploy", file);
    expect(exit, stderr).toBe(0);
  }

  interface Listed {
    readonly instances: readonly { readonly instanceId: string; readonly status: string }[];
  }

  test("[C90] the store is named by an option, the environment or the folder's configuration, and holds what runs", async () => {
    const store = freshStore();
    const house = await machine({ TUTTI_STORE: store });
    await deploy(house);
    await house.json("process", "start", "ask", "--id", "one");
    await house.tutti("stop");
    // Another folder, which has nothing itself, shows the same with an owner and without one.
    const other = await machine();
    await writeFile(join(other.folder, "ask.yaml"), definition);
    const read = await other.json<Listed>("process", "list", "--store", store);
    expect(read.instances).toMatchObject([{ instanceId: "one", status: "running" }]);
    expect((await other.json<Listed>("process", "list")).instances).toEqual([]);
    await serving(other, "--store", store);
    await writeFile(join(other.state, "tutti.json"), JSON.stringify({ store }));
    expect((await other.json<Listed>("process", "list")).instances).toHaveLength(1);
    await writeFile(join(other.state, "tutti.json"), "{ nonsense with a secret");
    const { exit, stderr } = await other.tutti("process", "list");
    expect(exit).toBe(2);
    expect(stderr).toContain("configuration-invalid");
    expect(stderr).not.toContain("secret");
  });

  test("[C91] a wrong password, a missing database and a server that is away are said, without the password", async () => {
    const house = await machine();
    for (const [store, code] of [
      [server.urlFor({ user: "locked", password: "hunter2" }), "database-refused"],
      [server.urlFor({ database: "none" }), "database-unknown"],
      ["postgres://me:hunter2@127.0.0.1:1/postgres", "database-away"],
      ["mysql://me:hunter2@host/database", "store-invalid"],
    ] as const) {
      const { exit, stdout, stderr } = await house.tutti("serve", "--store", store);
      expect(stderr).toContain(code);
      expect(exit).toBeGreaterThan(0);
      expect(stdout + stderr).not.toContain("hunter2");
    }
  });

  test("[C92] a second machine waits, answers, sends commands on, and takes over", async () => {
    const store = freshStore();
    const [first, second] = [await machine({ TUTTI_STORE: store }), await machine({ TUTTI_STORE: store })];
    const owner = await serving(first);
    await deploy(first);
    const standby = await serving(second);
    await standby.sees(/waits for the owner of the store/);
    // A command through the standby is the owner's to do, and both show it.
    await second.json("process", "start", "ask", "--id", "two");
    for (const house of [first, second]) {
      expect((await house.json<Listed>("process", "list")).instances).toMatchObject([{ instanceId: "two" }]);
    }
    const refused = await second.tutti("process", "start", "nothing");
    expect(refused.stderr).toContain("program-not-found");
    owner.child.kill("SIGKILL");
    await standby.sees(/took over/);
    await second.json("process", "start", "ask", "--id", "three");
    expect((await second.json<Listed>("process", "list")).instances).toHaveLength(2);
    // The first comes back, and waits in its turn; it stops when it is told to.
    const again = await serving(first);
    await again.sees(/waits for the owner of the store/);
    expect((await first.tutti("stop")).exit).toBe(0);
    expect((await again.done).exit).toBe(0);
  });

  test("[C92] a worker beside a standby does the owner's jobs, and those of who takes over", async () => {
    const store = freshStore();
    const [first, second] = [await machine({ TUTTI_STORE: store }), await machine({ TUTTI_STORE: store })];
    const owner = await serving(first);
    const file = join(first.folder, "errand.yaml");
    await writeFile(file, stringify({ process: "errand", steps: { do: { job: "errand.do" } } }));
    expect((await first.tutti("process", "deploy", file)).exit).toBe(0);
    const standby = await serving(second);
    await standby.sees(/waits for the owner of the store/);
    const worker = second.start(["process", "work", "errand.do", "--run", "echo '{}'"]);
    await worker.sees(/Does jobs of errand.do/);
    await first.json("process", "start", "errand", "--id", "one");
    expect((await first.tutti("process", "wait", "one")).exit).toBe(0);
    owner.child.kill("SIGKILL");
    await standby.sees(/took over/);
    await worker.sees(/The owner has ended[\s\S]*Does jobs of errand.do/);
    await second.json("process", "start", "errand", "--id", "two");
    expect((await second.tutti("process", "wait", "two")).exit).toBe(0);
    worker.child.kill("SIGINT");
    expect((await worker.done).exit).toBe(0);
    expect((await second.tutti("stop")).exit).toBe(0);
    expect((await standby.done).exit).toBe(0);
  });
});
