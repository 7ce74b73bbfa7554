import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/**
 * Processes that have something to do with a folder: their directory, arguments or environment names it. Every process
 * of ours has a HOME within it. Looked up in the system itself, for what the house says of its own processes is no
 * proof. Elsewhere than on Linux only arguments can be seen.
 */
export function processesOf(folder: string): readonly FoundProcess[] {
  return process.platform === "linux" ? fromProc(folder) : fromPs(folder);
}

function fromProc(folder: string): readonly FoundProcess[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || isDead(pid)) return [];
    const command = text(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    const traces = [command, text(`/proc/${pid}/environ`), link(`/proc/${pid}/cwd`)];
    return traces.some((trace) => trace.includes(folder)) ? [{ pid, command }] : [];
  });
}

/** A process that has ended and whose parent has not looked is nobody any more. */
function isDead(pid: number): boolean {
  const stat = text(`/proc/${pid}/stat`);
  return /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
}

function fromPs(folder: string): readonly FoundProcess[] {
  const { stdout } = spawnSync("ps", ["-axo", "pid=,command="], { encoding: "utf8" });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return command?.includes(folder) === true ? [{ pid: Number(pid), command }] : [];
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !isDead(pid);
  } catch {
    return false;
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Processes vanish while they are looked at, and some belong to other users.
    return "";
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
