import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { serverProcess } from "./server-process.ts";

const forever = [process.execPath, "-e", "setInterval(() => {}, 1000)"] as const;
const sayable = spawnSync("setpriv", ["--version"]).status === 0;

test("a server that ends before it answers is an error, not a wait", async () => {
  const { start } = serverProcess({
    command: [process.execPath, "-e", "process.exit(3)"],
    ready: () => Promise.reject(new Error("no answer")),
  });
  await expect(start()).rejects.toThrow(/ended with 3.*no answer/);
});

test("a server that cannot be begun is an error, too", async () => {
  const { start } = serverProcess({ command: forever, ready: async () => undefined, cwd: "/nowhere" });
  await expect(start()).rejects.toThrow("ENOENT");
});

test("it can be ended and started again", async () => {
  const server = serverProcess({ command: forever, ready: async () => undefined });
  for (let round = 0; round < 2; round++) {
    await server.start();
    await server.stop();
  }
  await server.stop();
});

test.runIf(sayable)("it ends with a test run that is killed by force", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tutti-server-"));
  const note = join(folder, "pid");
  const script = `
    import { access } from "node:fs/promises";
    import { serverProcess } from ${JSON.stringify(fileURLToPath(new URL("./server-process.ts", import.meta.url)))};
    const stays = "require('fs').writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1000)";
    const command = [process.execPath, "-e", stays, ${JSON.stringify(note)}];
    await serverProcess({ command, ready: () => access(${JSON.stringify(note)}) }).start();
    console.log("started");`;
  const run = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(run.stdout, "data");
  const pid = Number(readFileSync(note, "utf8"));
  rmSync(folder, { recursive: true });
  expect(isAlive(pid)).toBe(true);
  run.kill("SIGKILL");
  await once(run, "exit");
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
