import { type ChildProcess, spawn } from "node:child_process";
import { AppError } from "@tutti/kernel";

/*
 * The only place that spawns git. Repositories that agents wrote are hostile: their config, hooks, filters and
 * nested repositories can run programs on the host. So (1) no call ever runs with an agent's `.git` as its
 * repository: callers give our own `gitDir`; (2) no configuration but ours is read; (3) every switch that could
 * start a program is off, whatever the command.
 */

/** How a call is run. `gitDir` is always explicit; git never searches for a repository. */
export interface GitOptions {
  readonly gitDir?: string;
  readonly workTree?: string;
  /** A private index; without it the repository's own. */
  readonly indexFile?: string;
  /** New objects go here instead of into `gitDir`, and are seen together with its objects. */
  readonly scratchObjects?: string;
  /** Default: `workTree`, else `gitDir`. */
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  /** Exit codes that are answers; any other rejects with `git-failed`. Default: only 0. */
  readonly accept?: readonly number[];
  /** Default 120 000. */
  readonly timeoutMs?: number;
  /** Default 64 MiB. */
  readonly outputBytesMax?: number;
  readonly signal?: AbortSignal;
  /**
   * Reads the person's own configuration, for calls on their own repository: there their ignore rules and
   * safe.directory count. Hooks and fsmonitor stay off. Never use it on anything an agent wrote.
   */
  readonly userConfiguration?: boolean;
  /** Author and committer of commits. */
  readonly identity?: CommitIdentity;
}

/** Both author and committer; `at` is epoch ms (git keeps whole seconds), in UTC, so that a commit's id is repeatable. */
export interface CommitIdentity {
  readonly name: string;
  readonly email: string;
  readonly at: number;
}

export interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const stderrBytesMax = 64 * 1024;
const killGraceMs = 2_000;

/** On every call: nothing here may start a program, talk to the network by itself, or tidy up behind our back. */
const hardening: readonly string[] = [
  "core.fsmonitor=false",
  "core.hooksPath=/dev/null",
  "core.untrackedCache=false",
  "core.sshCommand=false",
  "credential.helper=",
  "diff.external=",
  "diff.ignoreSubmodules=all",
  "diff.renames=false",
  // Merging keeps its rename detection although diffs do not show renames.
  "merge.renames=true",
  "merge.directoryRenames=conflict",
  "submodule.recurse=false",
  "protocol.ext.allow=never",
  "protocol.file.allow=user",
  "safe.bareRepository=explicit",
  "gc.auto=0",
  "maintenance.auto=false",
  "fetch.writeCommitGraph=false",
  "commit.gpgSign=false",
  "core.quotePath=false",
  // Several runs share a repository, so a lock is waited for.
  "core.filesRefLockTimeout=5000",
  "core.packedRefsTimeout=5000",
  "advice.detachedHead=false",
];
const hardeningFlags: readonly string[] = hardening.flatMap((setting) => ["-c", setting]);

// A capture is told to the engine as done, so its objects must survive a power cut like the engine's log does.
const durable: readonly string[] = ["-c", "core.fsync=committed", "-c", "core.fsyncMethod=batch"];
const throwaway: readonly string[] = ["-c", "core.fsync=none"];

/**
 * Runs one git command without a shell. Rejects with `git-not-found`, `git-failed`, `git-timeout`, `git-aborted`
 * or `git-output-too-large`; the process has ended when it settles.
 */
export function git(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  if (options.signal?.aborted) return Promise.reject(aborted(args));
  return new Promise((resolve, reject) => {
    const child = start(args, options);
    const out = collector(options.outputBytesMax ?? 64 * 1024 * 1024);
    let errors = "";
    let failure: AppError | undefined;
    const end = (error: AppError): void => {
      if (failure !== undefined) return;
      failure = error;
      stop(child);
    };
    const timeoutMs = options.timeoutMs ?? 120_000;
    const timer = setTimeout(
      () => end(new AppError("git-timeout", `git ${args[0]} did not end within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const onAbort = (): void => end(aborted(args));
    options.signal?.addEventListener("abort", onAbort, { once: true });
    child.stdout?.on("data", (chunk: Buffer) => {
      if (!out.add(chunk)) end(new AppError("git-output-too-large", `git ${args[0]} wrote more than ${out.max} bytes`));
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      if (errors.length < stderrBytesMax) errors += chunk.toString("utf8");
    });
    // A command that has all it needs closes its input early; its exit code tells whether that was right.
    child.stdin?.on("error", () => undefined);
    child.on("error", (cause) => {
      failure ??= notStarted(args, cause);
      settle(-1);
    });
    child.on("close", (code) => settle(code ?? -1));
    child.stdin?.end(options.stdin);

    let settled = false;
    function settle(code: number): void {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
      if (failure !== undefined) reject(failure);
      else if (!(options.accept ?? [0]).includes(code)) reject(failed(args, code, errors));
      else resolve({ code, stdout: out.content(), stderr: errors });
    }
  });
}

/** Like `git`, giving stdout as text without its last line break. */
export async function gitText(args: readonly string[], options: GitOptions = {}): Promise<string> {
  const { stdout } = await git(args, options);
  return stdout.toString("utf8").replace(/\r?\n$/, "");
}

/** Starts git with hardened flags and environment; for long-lived helpers. The caller ends it. */
export function start(args: readonly string[], options: GitOptions): ChildProcess {
  // check-ignore refuses the flag; its callers start every path with "./", which no magic does.
  const pathspecs = args[0] === "check-ignore" ? [] : ["--literal-pathspecs"];
  return spawn(
    "git",
    [...hardeningFlags, ...(options.scratchObjects ? throwaway : durable), "--no-pager", ...pathspecs, ...args],
    {
      cwd: options.cwd ?? options.workTree ?? options.gitDir ?? "/",
      env: environment(options),
      stdio: ["pipe", "pipe", "pipe"],
      shell: false,
      // A group of its own, so that stopping git also stops the helpers it started.
      detached: true,
    },
  );
}

function environment(options: GitOptions): NodeJS.ProcessEnv {
  const inherited = options.userConfiguration ? ["HOME", "XDG_CONFIG_HOME"] : [];
  const env: NodeJS.ProcessEnv = {
    GIT_TERMINAL_PROMPT: "0",
    GIT_EDITOR: "true",
    GIT_SEQUENCE_EDITOR: "true",
    GIT_ASKPASS: "/bin/false",
    SSH_ASKPASS: "/bin/false",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_FLUSH: "1",
    LC_ALL: "C",
    TZ: "UTC",
  };
  for (const name of ["PATH", "TMPDIR", ...inherited]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  if (!options.userConfiguration) {
    // Git reads $HOME/.config/git/{ignore,attributes} even without a configuration file.
    Object.assign(env, { HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1", GIT_ATTR_NOSYSTEM: "1" });
    env["GIT_CONFIG_GLOBAL"] = "/dev/null";
  }
  if (options.gitDir !== undefined) env["GIT_DIR"] = options.gitDir;
  if (options.workTree !== undefined) env["GIT_WORK_TREE"] = options.workTree;
  if (options.indexFile !== undefined) env["GIT_INDEX_FILE"] = options.indexFile;
  if (options.scratchObjects !== undefined) {
    env["GIT_OBJECT_DIRECTORY"] = options.scratchObjects;
    env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = `${options.gitDir}/objects`;
  }
  if (options.identity !== undefined) Object.assign(env, identityEnvironment(options.identity));
  return env;
}

function identityEnvironment({ name, email, at }: CommitIdentity): NodeJS.ProcessEnv {
  const date = `@${Math.floor(at / 1000)} +0000`;
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
}

function collector(max: number): { readonly max: number; add(chunk: Buffer): boolean; content(): Buffer } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    max,
    add(chunk) {
      bytes += chunk.length;
      if (bytes > max) return false;
      chunks.push(chunk);
      return true;
    },
    content: () => Buffer.concat(chunks),
  };
}

function stop(child: ChildProcess): void {
  signalGroup(child, "SIGTERM");
  // Git cleans its lock files on SIGTERM, so it gets the time to do so.
  setTimeout(() => signalGroup(child, "SIGKILL"), killGraceMs).unref();
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  // Once git was waited for, its number may belong to somebody else.
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
  }
}

function aborted(args: readonly string[]): AppError {
  return new AppError("git-aborted", `git ${args[0]} was stopped on request`);
}

function notStarted(args: readonly string[], cause: NodeJS.ErrnoException): AppError {
  if (cause.code === "ENOENT") {
    return new AppError("git-not-found", "git could not be started: it is not on the PATH, or its folder is gone", {
      cause,
    });
  }
  return new AppError("git-failed", `git ${args[0]} could not be started: ${cause.message}`, { cause });
}

function failed(args: readonly string[], code: number, stderr: string): AppError {
  const lines = stderr.trim().split("\n");
  const first = lines.find((line) => /^(fatal|error):/.test(line)) ?? lines[0] ?? "";
  return new AppError("git-failed", `git ${args[0]} ended with ${code}: ${first}`, {
    details: { command: args.slice(0, 20).join(" "), exit: code, stderr: stderr.slice(-4_000) },
  });
}

/** The oldest git that has `merge-tree --write-tree --stdin`. */
const oldestGit = [2, 39] as const;

/** The version of the git on the PATH. Rejects with `git-not-found` or `git-too-old`. */
export async function requireGit(): Promise<string> {
  const text = await gitText(["version"]);
  const version = /(\d+)\.(\d+)(?:\.\d+)*/.exec(text);
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  if (major < oldestGit[0] || (major === oldestGit[0] && minor < oldestGit[1])) {
    throw new AppError("git-too-old", `${text} is installed, but Tutti needs git 2.39 or newer`);
  }
  return version?.[0] ?? text;
}

const objectIdPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Throws `ref-invalid` unless it is a full object id: what we pass to git must never be read as an option or a range. */
export function objectId(text: string): string {
  if (!objectIdPattern.test(text)) throw new AppError("ref-invalid", `Expected a full object id, but got '${text}'`);
  return text;
}

// git-check-ref-format's rules in one place: no control characters, no ~^:?*[\, no "..", "@{", "//", no ".lock" or "." at
// a component's edge.
const refForbidden = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.\/|\.lock(?:\/|$)|^[-./]|[./]$|^@$|^HEAD$/;
const refLengthMax = 240;

/** Throws `ref-invalid` unless `name` is one that git accepts for a branch or below `refs/`. */
export function refName(name: string): string {
  if (name === "" || name.length > refLengthMax || refForbidden.test(name)) {
    throw new AppError("ref-invalid", `'${name}' is not a name that git accepts for a branch`);
  }
  return name;
}
