import { execFile } from "node:child_process";
import { promisify } from "node:util";

// The demo plays the person here: it makes the repository that a run then works for, and looks at the result as the
// person would. Everything that Tutti itself does with git goes through @tutti/workspace.

const execute = promisify(execFile);
const date = "2026-01-05T09:00:00Z";
const testMsMax = 120_000;

async function git(args: readonly string[], cwd: string): Promise<void> {
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Demo",
    GIT_AUTHOR_EMAIL: "demo@tutti.invalid",
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: "Demo",
    GIT_COMMITTER_EMAIL: "demo@tutti.invalid",
    GIT_COMMITTER_DATE: date,
  };
  await execute("git", [...args], { cwd, env });
}

/** One commit on `main`, the same on every machine. */
export async function makeRepository(folder: string): Promise<void> {
  await git(["init", "--quiet", "--initial-branch=main"], folder);
  await git(["add", "--all"], folder);
  await git(["commit", "--quiet", "--no-verify", "--message", "A service that keeps notes"], folder);
}

export interface TestRun {
  readonly passed: boolean;
  readonly tests: number;
  readonly failed: number;
}

/** Checks out the result in a folder of its own and runs its tests there, as a person would. */
export async function testResult(options: {
  readonly repository: string;
  readonly branch: string;
  readonly folder: string;
}): Promise<TestRun> {
  const { repository, branch, folder } = options;
  await git(["clone", "--quiet", "--branch", branch, "--", repository, folder], repository);
  const args = ["--test", "--test-reporter=tap"];
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env;
  const run = execute(process.execPath, args, { cwd: folder, env, timeout: testMsMax, maxBuffer: 64 * 1024 * 1024 });
  const { passed, stdout } = await run.then(
    ({ stdout }) => ({ passed: true, stdout }),
    (error: { readonly stdout?: string }) => ({ passed: false, stdout: error.stdout ?? "" }),
  );
  return { passed, tests: counted(stdout, "tests"), failed: counted(stdout, "fail") };
}

function counted(tap: string, what: string): number {
  return Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(tap)?.[1] ?? 0);
}
