import { git, gitText } from "./git.ts";
import { commitTree } from "./objects.ts";
import { type Repository, readRef, setRef } from "./repository.ts";

/*
 * A note is a text under a ref of a run: a commit without files whose message it is. So it lives and travels with the
 * run's other refs. The last one written stands.
 */

export async function writeNote(repository: Repository, ref: string, text: string): Promise<void> {
  const { stdout } = await git(["mktree"], { gitDir: repository.gitDir, stdin: "" });
  const commit = await commitTree(repository, {
    tree: stdout.toString("utf8").trim(),
    parents: [],
    message: text,
    identity: { name: "Tutti", email: "tutti@tutti.invalid", at: 0 },
  });
  await setRef(repository, ref, { commit });
}

/** Undefined when there is none. */
export async function readNote(repository: Repository, ref: string): Promise<string | undefined> {
  const commit = await readRef(repository, ref);
  return commit === undefined ? undefined : gitText(["show", "-s", "--format=%B", commit, "--"], repository);
}
