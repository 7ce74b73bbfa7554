import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { createServer, connect as dial, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeUnless } from "@tutti/test-servers";

/*
 * Machines on one: each has a network namespace with an address of its own, and a mount namespace in which a file system
 * of its own lies over the data folder. That has the same path on all of them, and nobody sees what another one has there.
 * The only way from one to another, and to the servers of a test, is the common address: it leads to what was shared.
 */

export interface Machines {
  /** The data folder: the same path on each machine, another content. */
  readonly data: string;
  machine(): Promise<Machine>;
  /** Lets machines reach a port of this one. Gives `host:port`. */
  share(port: number): Promise<string>;
  close(): Promise<void>;
}

export interface Machine {
  /** What goes before a command for it to run there, in the data folder. */
  readonly prefix: readonly string[];
  /** Runs a command to its end; rejects with stderr unless its exit status is 0. */
  run(...command: readonly string[]): Promise<string>;
}

const alone = ["unshare", "--net", "--mount", "--propagation", "private"] as const;
const refused = ((): string | undefined => {
  if (process.platform !== "linux") return "namespaces are Linux's";
  if (spawnSync("ip", ["-V"]).status !== 0) return "there is no `ip`: apt-get install iproute2";
  const { status, stderr } = spawnSync(alone[0], [...alone.slice(1), "true"], { encoding: "utf8" });
  return status === 0 ? undefined : `namespaces need root: ${stderr?.trim() ?? "there is no `unshare`"}`;
})();

/** Tests that need several machines. */
export function describeWithMachines(title: string, tests: () => void): void {
  describeUnless(refused, title, tests);
}

export async function openMachines(): Promise<Machines> {
  const folder = mkdtempSync(join(tmpdir(), "tutti-machines-"));
  const data = join(folder, "data");
  mkdirSync(data);
  const name = `tt${randomBytes(4).toString("hex")}`;
  const [second = 0, third = 0] = randomBytes(2);
  const network = `10.${64 + (second % 64)}.${third}`;
  const holders: ChildProcess[] = [];
  const shared: Server[] = [];
  const common = `${network}.1`;
  must("ip", "link", "add", name, "type", "bridge");
  must("ip", "address", "add", `${common}/24`, "dev", name);
  must("ip", "link", "set", name, "up");
  return {
    data,
    async machine() {
      const number = holders.length + 1;
      // It lives as long as somebody does in it.
      const live = 'mount -t tmpfs -o mode=0700 tmpfs "$1" && ip link set lo up && echo up && exec sleep infinity';
      const holder = spawn(alone[0], [...alone.slice(1), "sh", "-c", live, "sh", data], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      holders.push(holder);
      await once(holder.stdout, "data");
      const inside = ["nsenter", `--target=${holder.pid}`, "--net", "--mount", "--"] as const;
      const [near, far] = [`${name}${number}`, `${name}${number}f`];
      must("ip", "link", "add", near, "type", "veth", "peer", "name", far);
      must("ip", "link", "set", near, "master", name, "up");
      must("ip", "link", "set", far, "netns", String(holder.pid));
      must(...inside, "ip", "address", "add", `${network}.${number + 1}/24`, "dev", far);
      must(...inside, "ip", "link", "set", far, "up");
      const prefix = [...inside, "sh", "-c", 'cd "$0" && exec "$@"', data];
      return { prefix, run: (...command) => output([...prefix, ...command]) };
    },
    async share(port) {
      const server = createServer((near) => {
        const far = dial(port, "127.0.0.1");
        near.pipe(far).pipe(near);
        for (const socket of [near, far]) {
          socket.on("error", () => undefined).on("close", () => (socket === near ? far : near).destroy());
        }
      }).listen(0, common);
      await once(server, "listening");
      shared.push(server);
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("a listening server has a port");
      return `${common}:${address.port}`;
    },
    async close() {
      for (const holder of holders) {
        const ended = once(holder, "exit");
        // Also what a test that failed has left there.
        spawnSync("kill", ["-KILL", ...livingWith(holder.pid)]);
        await ended;
      }
      for (const server of shared) server.close();
      spawnSync("ip", ["link", "delete", name]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Every process in the network namespace of one, which is among them. */
function livingWith(pid: number | undefined): string[] {
  const spaceOf = (name: string): string | undefined => {
    try {
      return readlinkSync(`/proc/${name}/ns/net`);
    } catch {
      return undefined;
    }
  };
  const space = spaceOf(String(pid));
  const names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return names.filter((name) => space !== undefined && spaceOf(name) === space);
}

function must(...[program = "", ...words]: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${words.join(" ")}: ${error?.message ?? stderr}`);
}

async function output([program = "", ...words]: readonly string[]): Promise<string> {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`${words.join(" ")} ended with ${status}: ${stderr}${stdout}`);
  return stdout;
}
