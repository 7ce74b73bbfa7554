import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessGroup } from "../agent.ts";

// On Linux the members of a group are found in /proc: by the group's id, and by the marker that every process we
// start carries in its environment, which also finds those that left the group with setsid. What erases its
// environment *and* leaves the group is only held by a PID namespace, that is by the cage.
// Elsewhere (macOS) there is no /proc: the group is signalled as a whole, and what left it is not found.

export const markerVariable = "TUTTI_PROCESS";

const endedWithinMs = 5_000;

/**
 * One look at /proc can miss a living process: one that is born during the look, and one that is just being replaced
 * by another program (`execve`), whose environment reads empty for that moment.
 */
const emptyLooksNeeded = 2;

export interface ProcessRow {
  readonly pid: number;
  readonly group: number;
  /** Clock ticks since boot. */
  readonly startTicks: number;
}

/** Describes a group that was just started. Falls back to an empty start time when the leader is gone already. */
export function describeGroup(pid: number, marker: string): ProcessGroup {
  return { pid, startTime: startTimeOf(pid) ?? "", marker };
}

/**
 * The living processes of a group. `trusted` says that the caller has seen the leader end just now, so that its pid
 * cannot mean anybody else; without it, a group whose leader is gone is only recognised by the marker.
 */
export function membersOf(group: ProcessGroup, options: { readonly trusted?: boolean } = {}): readonly ProcessRow[] {
  const [boot, ticks] = splitStartTime(group.startTime);
  if (boot !== bootId()) return [];
  const rows = readProcesses();
  const leader = rows.find((row) => row.pid === group.pid);
  // The pid of a leader is not given away while its group has members, so a stranger there means the group is empty.
  const byGroup = leader === undefined ? options.trusted === true : leader.startTicks === ticks;
  return rows.filter(
    (row) => row.startTicks >= ticks && ((byGroup && row.group === group.pid) || carries(row.pid, group.marker)),
  );
}

/**
 * Ends every process of the group: asks (SIGTERM), waits at most `graceMs` (default 1 500), then kills. Safe to call
 * again and after a restart of whoever started it: a stranger with the same pid is left alone. Resolves within 5 s
 * with how many it ended and how many would not die (stuck in the kernel).
 */
export async function endProcessGroup(
  group: ProcessGroup,
  options: { readonly graceMs?: number; readonly trusted?: boolean } = {},
): Promise<{ readonly ended: number; readonly left: number }> {
  if (process.platform !== "linux") return endGroupByName(group, options.graceMs ?? 1_500);
  const deadline = Date.now() + endedWithinMs;
  const killAt = Date.now() + Math.min(options.graceMs ?? 1_500, endedWithinMs - 1_000);
  const seen = new Set<number>();
  let asked = false;
  let emptyLooks = 0;
  for (;;) {
    const members = membersOf(group, options);
    for (const { pid } of members) seen.add(pid);
    const now = Date.now();
    emptyLooks = members.length === 0 ? emptyLooks + 1 : 0;
    if (emptyLooks === emptyLooksNeeded || now >= deadline)
      return { ended: seen.size - members.length, left: members.length };
    if (now >= killAt) signalAll(members, "SIGKILL");
    else if (!asked) signalAll(members, "SIGTERM");
    asked = true;
    await sleep(25);
  }
}

/** All processes of this system, without the dead that nobody has collected yet. Linux only. */
function readProcesses(): readonly ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const name of readdirSync("/proc")) {
    const row = /^\d+$/.test(name) ? readProcess(Number(name)) : undefined;
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

function readProcess(pid: number): ProcessRow | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  // The name in parentheses may itself hold blanks and parentheses; the fields begin after the last one.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields === undefined || fields[0] === "Z" || fields[0] === "X") return undefined;
  return { pid, group: Number(fields[2]), startTicks: Number(fields[19]) };
}

function carries(pid: number, marker: string): boolean {
  const environment = readText(`/proc/${pid}/environ`);
  return environment?.split("\0").includes(`${markerVariable}=${marker}`) ?? false;
}

/** Resident bytes of one process; 0 when it is gone. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`) ?? "")?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

function signalAll(members: readonly ProcessRow[], signal: NodeJS.Signals): void {
  for (const { pid } of members) signalOne(pid, signal);
}

function signalOne(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal, which is what the signal was for.
    return false;
  }
}

async function endGroupByName(group: ProcessGroup, graceMs: number) {
  const start = startTimeOf(group.pid);
  if (start !== undefined && start !== group.startTime) return { ended: 0, left: 0 };
  if (!signalOne(-group.pid, "SIGTERM")) return { ended: 0, left: 0 };
  const killAt = Date.now() + Math.min(graceMs, endedWithinMs - 1_000);
  while (Date.now() < killAt && groupExists(group.pid)) await sleep(25);
  signalOne(-group.pid, "SIGKILL");
  for (let round = 0; round < 40 && groupExists(group.pid); round += 1) await sleep(25);
  return groupExists(group.pid) ? { ended: 0, left: 1 } : { ended: 1, left: 0 };
}

function groupExists(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}

function startTimeOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    const row = readProcess(pid);
    return row === undefined ? undefined : `${bootId()}:${row.startTicks}`;
  }
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", timeout: 2_000 }).trim();
  } catch {
    return undefined;
  }
}

function splitStartTime(startTime: string): readonly [boot: string, ticks: number] {
  const colon = startTime.lastIndexOf(":");
  // Without a start time (the leader was gone before it could be read) only the marker can tell.
  return colon < 0 ? [bootId(), 0] : [startTime.slice(0, colon), Number(startTime.slice(colon + 1))];
}

let bootIdRead: string | undefined;
function bootId(): string {
  bootIdRead ??= readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  return bootIdRead;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Processes vanish while they are looked at, and some belong to other users.
    return undefined;
  }
}
