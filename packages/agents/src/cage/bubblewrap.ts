import { execFile } from "node:child_process";
import { lstat, readlink, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Cage, CagedCommand, CageOptions, Launch } from "./cage.ts";
import { environmentFor } from "./environment.ts";
import { findProgram, installationOf, requireProgram, toolFolders } from "./program.ts";
import { requireFolder } from "./scratch.ts";

// How the cage is built, and why so:
// - Every path inside is the path outside, so that an agent and we speak of the same files.
// - The environment is given to bubblewrap itself and passed on: as --setenv arguments keys would be readable by
//   every user of the machine.
// - No --new-session: the group leader we start has a session of its own already (no terminal to inject into), and
//   the agent must stay in the group that is ended on cancel.
// - --die-with-parent ends the agent with its owner. Nothing relies on it: whoever recovers ends the recorded
//   groups anyway.

const temporaryBytesMax = 512 * 1024 * 1024;

const systemFolders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
const systemReadable = ["/usr", "/opt", "/nix/store"];
/** What programs look up in /etc. Not all of it: it holds keys and password hashes too. */
const systemFiles = [
  ...["passwd", "group", "nsswitch.conf", "hosts", "localtime", "timezone", "alternatives", "mime.types", "protocols"],
  ...["services", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ssl/certs", "ssl/openssl.cnf", "ca-certificates"],
  ...["pki/tls", "pki/ca-trust", "java-11-openjdk", "java-17-openjdk", "java-21-openjdk", "fonts", "gitattributes"],
].map((name) => join("/etc", name));

/** A bubblewrap that was seen to work here. `lockable` says whether it can forbid further user namespaces inside. */
export interface Bubblewrap {
  readonly path: string;
  readonly version: string;
  readonly lockable: boolean;
}

export type BubblewrapSearch =
  | { readonly ok: true; readonly bubblewrap: Bubblewrap }
  | { readonly ok: false; readonly reason: string };

const run = promisify(execFile);

/** Looks for bubblewrap and really starts one: where user namespaces are switched off it is there but useless. */
export async function findBubblewrap(
  options: { readonly path?: string; readonly timeoutMs?: number } = {},
): Promise<BubblewrapSearch> {
  if (process.platform !== "linux") return { ok: false, reason: "bubblewrap exists on Linux only" };
  const path = await findProgram("bwrap", options.path);
  if (path === undefined) return { ok: false, reason: "bubblewrap (bwrap) is not installed" };
  const timeout = options.timeoutMs ?? 5_000;
  try {
    const { stdout } = await run(path, ["--version"], { timeout });
    const version = stdout.trim().split(" ").at(-1) ?? "";
    const lockable = await starts({ path, version, lockable: true }, timeout).then(
      () => true,
      () => false,
    );
    const bubblewrap = { path, version, lockable };
    if (!lockable) await starts(bubblewrap, timeout);
    return { ok: true, bubblewrap };
  } catch (error) {
    const message = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
    return { ok: false, reason: `bubblewrap does not start here: ${message.slice(0, 300)}` };
  }
}

async function starts(bubblewrap: Bubblewrap, timeout: number): Promise<void> {
  const args = [...namespaces(bubblewrap, {}), ...(await system({})), "--remount-ro", "/", "--", "/bin/sh", "-c", ":"];
  await run(bubblewrap.path, args, { timeout, env: {} });
}

/** Runs programs with a read-only system, their own processes, no network, and nothing writable but what they need. */
export function bubblewrapCage(bubblewrap: Bubblewrap, options: CageOptions = {}): Cage {
  const network = options.network === "host" ? "the host's network" : "no network";
  return {
    kind: "bubblewrap",
    description: `Sandbox (bubblewrap ${bubblewrap.version}): read-only system, ${network}, writes only to its workspace.`,
    launch: async (command: CagedCommand): Promise<Launch> => {
      const environment = environmentFor(command, options);
      environment["PATH"] = `${environment["PATH"] ?? "/usr/bin:/bin"}:${dirname(process.execPath)}`;
      const [name = "", ...rest] = command.argv;
      const program = await requireProgram(name, environment["PATH"]);
      const args = [
        ...namespaces(bubblewrap, options),
        ...(await system(options)),
        ...(await readable({ command, options, program, path: environment["PATH"] })),
        ...(await writable(command, options)),
        ...["--remount-ro", "/", "--chdir", command.cwd, "--", program, ...rest],
      ];
      // Started from a folder that surely exists and that nobody unmounts under it.
      return { file: bubblewrap.path, args, cwd: "/", environment };
    },
  };
}

function namespaces(bubblewrap: Bubblewrap, options: CageOptions): readonly string[] {
  return [
    ...["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--hostname", "tutti"],
    ...(bubblewrap.lockable ? ["--disable-userns"] : []),
    ...(options.network === "host" ? ["--share-net"] : []),
    ...["--die-with-parent", "--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev"],
    ...["--size", String(temporaryBytesMax), "--tmpfs", "/tmp", "--size", "16777216", "--tmpfs", "/run"],
  ];
}

async function system(options: CageOptions): Promise<readonly string[]> {
  const args: string[] = [];
  for (const folder of systemReadable) args.push("--ro-bind-try", folder, folder);
  for (const folder of systemFolders) args.push(...(await asOnHost(folder)));
  for (const file of systemFiles) args.push("--ro-bind-try", file, file);
  if (options.network === "host") {
    // Usually a link into /run, which is empty inside.
    const resolver = await realpath("/etc/resolv.conf").catch(() => undefined);
    if (resolver !== undefined) args.push("--ro-bind", resolver, "/etc/resolv.conf");
  }
  return args;
}

async function asOnHost(folder: string): Promise<readonly string[]> {
  const entry = await lstat(folder).catch(() => undefined);
  if (entry === undefined) return [];
  return entry.isSymbolicLink() ? ["--symlink", await readlink(folder), folder] : ["--ro-bind", folder, folder];
}

async function readable(request: {
  readonly command: CagedCommand;
  readonly options: CageOptions;
  readonly program: string;
  readonly path: string;
}): Promise<readonly string[]> {
  const paths = [
    ...(await toolFolders(request.path)),
    ...(await installationOf(request.program)),
    ...(await installationOf(process.execPath)),
    ...(request.options.readable ?? []),
    ...(request.command.readable ?? []),
  ];
  const shown = [...systemReadable, ...systemFolders];
  const wanted = [...new Set(paths)].filter((path) => !shown.some((root) => isInside(path, root)));
  // Shorter paths first: a later mount on a parent would hide what was mounted below it.
  wanted.sort((a, b) => a.length - b.length);
  return wanted.flatMap((path) => ["--ro-bind-try", path, path]);
}

async function writable(command: CagedCommand, options: CageOptions): Promise<readonly string[]> {
  const paths = [...new Set([...(options.writable ?? []), command.scratch, ...command.writable])];
  paths.sort((a, b) => a.length - b.length);
  for (const path of [command.scratch, ...command.writable]) await requireFolder(path);
  const args = paths.flatMap((path) => ["--bind", path, path]);
  for (const path of command.writable) {
    if (!(await isOwn(join(path, ".git")))) continue;
    // Programs of the host that meet this repository later must not find hooks or settings that the agent wrote.
    for (const name of [".git/config", ".git/hooks"]) {
      if (await isOwn(join(path, name))) args.push("--ro-bind", join(path, name), join(path, name));
    }
  }
  return args;
}

/** It is there and no link: a mount would follow one to wherever an earlier program let it lead. */
async function isOwn(path: string): Promise<boolean> {
  const entry = await lstat(path).catch(() => undefined);
  return entry !== undefined && !entry.isSymbolicLink();
}

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}
