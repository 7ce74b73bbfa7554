import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { CliHouse, isAlive, until } from "./testing/cli-house.ts";

const houses: CliHouse[] = [];

async function house(environment: NodeJS.ProcessEnv = {}): Promise<CliHouse> {
  const made = await CliHouse.open(environment);
  houses.push(made);
  return made;
}

afterEach(async () => {
  for (const made of houses.splice(0)) await made.close();
});

test("[C2] a second owner of a state folder is refused, and told who the first is", async () => {
  const own = await house();
  const first = own.start(["serve"]);
  await until(async () => (await own.ownerPid()) !== undefined, 20_000);
  const second = await own.tutti("serve", "--json");
  expect(second.exit).toBe(1);
  const { error } = JSON.parse(second.stdout) as { error: { code: string; message: string; details: object } };
  expect(error.code).toBe("state-owned");
  expect(error.message).toContain(`process ${first.child.pid}`);
  expect(error.details).toMatchObject({ owner: { pid: first.child.pid, since: expect.any(Number) } });
  const stopped = await own.json<{ stopped: number }>("stop");
  expect(stopped.stopped).toBe(first.child.pid);
  expect((await first.done).exit).toBe(0);
  expect((await own.tutti("stop")).stderr).toContain("owner-none");
});

test("[C2] the folder of an owner that was killed is free at once", async () => {
  const own = await house();
  own.start(["serve"]);
  await until(async () => (await own.ownerPid()) !== undefined, 20_000);
  const killed = await own.killOwner();
  const next = own.start(["serve"]);
  await until(async () => (await own.ownerPid()) === next.child.pid, 20_000);
  expect(isAlive(killed)).toBe(false);
});

test("[C14] SIGTERM lets running jobs end within the grace time, and leaves no process", async () => {
  const own = await house();
  const { repository, plan, script } = await own.material("fixtures/misbehaving/hang");
  const serving = own.start(["serve", "--grace", "1"]);
  await until(async () => (await own.ownerPid()) !== undefined, 20_000);
  await own.tutti("run", "--repo", repository, "--plan", plan, "--script", script, "--id", "one", "--detach");
  await own.writes("parts/only.txt");
  const askedAt = Date.now();
  serving.child.kill("SIGTERM");
  expect((await serving.done).exit).toBe(0);
  expect(Date.now() - askedAt).toBeLessThan(10_000);
  await until(async () => (await own.strangers()).length === 0, 1_000);
  expect((await own.tutti("status")).stderr).toContain("tutti resume one");
});

test("[C14] a second signal ends the owner at once; the next one ends what it left", async () => {
  const own = await house();
  const { repository, plan, script } = await own.material("fixtures/misbehaving/hang");
  const serving = own.start(["serve", "--grace", "60"]);
  await until(async () => (await own.ownerPid()) !== undefined, 20_000);
  await own.tutti("run", "--repo", repository, "--plan", plan, "--script", script, "--id", "one", "--detach");
  await own.writes("parts/only.txt");
  serving.child.kill("SIGTERM");
  await serving.sees(/Stopping/);
  const askedAt = Date.now();
  serving.child.kill("SIGTERM");
  expect((await serving.done).exit).toBe(7);
  expect(Date.now() - askedAt).toBeLessThan(2_000);
  const next = own.start(["serve"]);
  await until(async () => (await own.ownerPid()) === next.child.pid, 20_000);
  expect((await own.tutti("cancel")).exit).toBe(0);
  expect(await own.strangers()).toEqual([]);
});

test("[C15] only this user reaches the socket, also when the folder's path is too long for one", async () => {
  const deep = "a-rather-long-name-of-a-folder-".repeat(4);
  const own = await house();
  const state = join(own.folder, deep, "state");
  const serving = own.start(["serve", "--state", state, "--json"]);
  const owner = join(state, "owner.json");
  await until(async () => (await readFile(owner, "utf8").catch(() => "")) !== "", 20_000);
  const { note } = JSON.parse(await readFile(owner, "utf8")) as { note: { socket: string } };
  expect(Buffer.byteLength(note.socket)).toBeLessThan(104);
  await until(async () => (await stat(note.socket).catch(() => undefined)) !== undefined, 20_000);
  expect((await stat(note.socket)).mode & 0o777).toBe(0o600);
  expect((await stat(join(note.socket, ".."))).mode & 0o777).toBe(0o700);
  expect((await own.json<{ runs: unknown[] }>("list", "--state", state)).runs).toEqual([]);
  expect((await own.tutti("stop", "--state", state)).exit).toBe(0);
  expect((await serving.done).exit).toBe(0);
  await expect(stat(join(note.socket, ".."))).rejects.toThrow("ENOENT");
});

test.each([
  ["database-damaged", async (path: string) => writeFile(path, Buffer.alloc(8_192, "no database"))],
  ["database-foreign", async (path: string) => foreignDatabase(path, "CREATE TABLE theirs (a)")],
  ["database-newer", async (path: string) => newerDatabase(path)],
])("[C7] a state folder whose database is not ours to write is refused, unchanged: %s", async (code, spoil) => {
  const own = await house();
  const { repository, plan, script } = await own.material("fixtures/diamond-late");
  // The owner makes its database; what spoils it comes later.
  own.start(["serve"]);
  const path = join(own.state, "tutti.sqlite");
  await until(async () => (await stat(path).catch(() => undefined)) !== undefined, 20_000);
  await own.tutti("stop");
  await spoil(path);
  const before = await readFile(path);
  const { exit, stdout } = await own.tutti("run", "--repo", repository, "--plan", plan, "--script", script, "--json");
  expect(JSON.parse(stdout)).toMatchObject({ error: { code, advice: expect.stringMatching(/\.$/) } });
  expect(exit).toBeGreaterThan(0);
  expect(await readFile(path)).toEqual(before);
  expect((await own.tutti("status", "--json")).stdout).toContain(code);
});

async function foreignDatabase(path: string, sql: string): Promise<void> {
  await writeFile(path, "");
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

async function newerDatabase(path: string): Promise<void> {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 9999");
  database.close();
}

test("[C7] a state folder that cannot be made or written to is refused with its way out", async () => {
  const own = await house();
  const { repository, plan, script } = await own.material("fixtures/diamond-late");
  const file = join(own.folder, "file");
  await writeFile(file, "");
  const run = ["run", "--repo", repository, "--plan", plan, "--script", script, "--json"];
  const { exit, stdout } = await own.tutti(...run, "--state", join(file, "state"));
  expect(exit).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "state-unusable" } });
  // Root may write anywhere: there is nothing to refuse.
  if (process.getuid?.() === 0) return;
  const locked = join(own.folder, "locked");
  await mkdir(locked);
  await chmod(locked, 0o500);
  const refused = await own.tutti(...run, "--state", join(locked, "state"));
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: "state-unusable" } });
});
