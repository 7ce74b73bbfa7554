import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { describeWithTemporal, startTemporalServer, temporalFolder } from "@tutti/engine/testing/temporal";
import { afterAll, afterEach, expect, test } from "vitest";
import { processesNaming, until } from "../testing/cli-house.ts";
import { root } from "../testing/scene.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function temporary(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tutti-packed-")));
  folders.push(folder);
  return folder;
}

/** As a person's shell would have it: nothing of the checkout on the PATH, nothing of npm's in the environment. */
function plainEnvironment(home: string): Record<string, string> {
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((each) => !each.includes("node_modules"));
  return { PATH: path.join(delimiter), HOME: home, LANG: "C" };
}

/** Packed and installed once for all that use it. */
let installation: { readonly folder: string; readonly command: string } | undefined;
afterAll(() => {
  if (installation !== undefined) rmSync(installation.folder, { recursive: true, force: true });
});

/** The command, installed from its tarballs into an empty folder, and a shell in an empty HOME. */
function installed(more: Record<string, string> = {}) {
  installation ??= install();
  const { folder, command } = installation;
  const home = mkdtempSync(join(folder, "home-"));
  const env = { ...plainEnvironment(home), ...more };
  return { folder: home, command, shell: { cwd: home, env, encoding: "utf8", timeout: 180_000 } as const };
}

function install(): NonNullable<typeof installation> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tutti-packed-")));
  const packed = spawnSync(process.execPath, [join(root, "tools", "pack.mjs"), folder], {
    encoding: "utf8",
    timeout: 280_000,
  });
  expect(packed.status, packed.stderr).toBe(0);
  return { folder, command: packed.stdout.trim() };
}

test("[X13] the packed command, installed from its tarballs into an empty folder, runs the demo in an empty HOME", () => {
  const { folder, command, shell } = installed();
  const version = spawnSync(command, ["--version"], shell);
  expect(version.stdout, version.stderr).toMatch(/^\d+\.\d+\.\d+\n$/);
  const demo = spawnSync(command, ["demo", "--dir", join(folder, "demo")], shell);
  expect(demo.status, demo.stdout + demo.stderr).toBe(0);
  expect(demo.stdout).toMatch(/12 of 12 units done/);
  expect(demo.stdout).toMatch(/Tests of the merged result.*all \d+ pass/);
}, 600_000);

test("[X13] packed beside it, the testing kit tries a definition from the file of whoever writes one", () => {
  const { command, shell } = installed();
  // Where a project would have it: beside the node_modules that it is installed in.
  const project = join(dirname(command), "..", "..");
  writeFileSync(join(project, "greeting.yaml"), "process: greeting\nsteps: { greet: { job: greet } }\n");
  const lines = [
    `import { load, openTrial } from "@tutti/testing";`,
    `const trial = await openTrial({ programs: await load("greeting.yaml"), answers: { answers: { greet: { complete: {} } } } });`,
    `(await trial.start({})).expectPath(["start", "greet", "end"]);`,
    `await trial.close();`,
  ];
  writeFileSync(join(project, "greeting.test.mjs"), lines.join("\n"));
  const tried = spawnSync(process.execPath, ["--test", "greeting.test.mjs"], { ...shell, cwd: project });
  expect(tried.status, tried.stdout + tried.stderr).toBe(0);
  expect(tried.stdout).toMatch(/pass 1\n/);
}, 600_000);

describeWithTemporal("packed, on Temporal", () => {
  test("[X13, C111] the packed command has what workers run, and makes it neither in the home nor in its own folder", async () => {
    const server = await startTemporalServer();
    const { folder, command, shell } = installed({
      TUTTI_ENGINE: "temporal",
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: server.namespace(),
    });
    const tutti = (...args: readonly string[]) => spawnSync(command, args, shell);
    try {
      writeFileSync(join(folder, "ask.yaml"), "process: ask\nsteps: { choose: { user: { title: Which? } } }\n");
      const deployed = tutti("process", "deploy", "ask.yaml");
      expect(deployed.status, deployed.stderr).toBe(0);
      tutti("process", "start", "ask", "--id", "one");
      tutti("task", "complete", "one:1", "--result", "{}");
      const waited = tutti("process", "wait", "one");
      expect(waited.status, waited.stderr).toBe(0);
      expect(existsSync(join(folder, ".cache"))).toBe(false);
    } finally {
      tutti("stop", "--grace", "0");
      await server.stop();
    }
  }, 600_000);

  test("[X13, C107] packed, `up` runs a server and works for it; Ctrl-C and stop leave no process", async () => {
    const { folder, command, shell } = installed({ TUTTI_ENGINE: "temporal" });
    const env = { ...shell.env, PATH: [temporalFolder(), shell.env["PATH"] ?? ""].join(delimiter) };
    const tutti = (...args: readonly string[]) => spawnSync(command, args, { ...shell, env });
    const up = async () => {
      const child = spawn(command, ["up"], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
      const done = once(child, "exit");
      let said = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          said += text;
        });
      }
      await until(() => child.exitCode !== null || /web UI http[\s\S]*→ .*stop/.test(said), 120_000);
      expect(child.exitCode, said).toBeNull();
      return { child, done };
    };
    writeFileSync(join(folder, "ask.yaml"), "process: ask\nsteps: { choose: { user: { title: Which? } } }\n");
    const first = await up();
    const deployed = tutti("process", "deploy", "ask.yaml");
    expect(deployed.status, deployed.stderr).toBe(0);
    tutti("process", "start", "ask", "--id", "one");
    first.child.kill("SIGINT");
    expect((await first.done)[0]).toBe(0);
    expect(processesNaming(folder)).toEqual([]);
    const second = await up();
    tutti("task", "complete", "one:1", "--result", "{}");
    const waited = tutti("process", "wait", "one");
    expect(waited.status, waited.stderr).toBe(0);
    expect(tutti("stop").status).toBe(0);
    expect((await second.done)[0]).toBe(0);
    await until(() => processesNaming(folder).length === 0, 5_000);
  }, 600_000);
});

/** A Node of which only the version is another. */
function pretend(folder: string, version: string): string {
  const preload = join(folder, "older.cjs");
  writeFileSync(preload, `Object.defineProperty(process.versions, "node", { value: ${JSON.stringify(version)} });\n`);
  return preload;
}

test("[X13] on too old a Node, and without the one that comes with it, the command says so in one line with a way out", () => {
  const folder = temporary();
  // The command alone, away from every node_modules.
  const bin = join(folder, "package", "bin", "tutti.mjs");
  cpSync(join(root, "packages", "cli", "bin"), dirname(bin), { recursive: true });
  writeFileSync(join(folder, "package", "package.json"), "{}");
  mkdirSync(join(folder, "package", "dist"));
  writeFileSync(join(folder, "package", "dist", "main.js"), "console.log('it ran');\n");
  const preload = pretend(folder, "20.19.0");
  const run = (): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, ["--require", preload, bin, "demo"], {
      encoding: "utf8",
      env: plainEnvironment(folder),
    });
  const alone = run();
  expect(alone.status).toBe(1);
  expect(alone.stdout).toBe("");
  expect(alone.stderr).toMatch(
    /^tutti: needs Node 24 or later, this is 20\.19\.0; install it from https:\/\/nodejs\.org\.\n$/,
  );

  // With the package beside it, it goes on with that one.
  const beside = join(folder, "package", "node_modules", "node");
  mkdirSync(join(beside, "bin"), { recursive: true });
  writeFileSync(join(beside, "package.json"), JSON.stringify({ name: "node", version: process.versions.node }));
  const packed = run();
  expect(packed.stderr).toMatch(/^tutti: .*the one beside it is not unpacked: run `npm rebuild node .*\n$/);
  symlinkSync(process.execPath, join(beside, "bin", "node"));
  const found = spawnSync(process.execPath, ["--require", preload, bin], {
    encoding: "utf8",
    env: plainEnvironment(folder),
  });
  expect(found.stdout, found.stderr as string).toBe("it ran\n");
});
