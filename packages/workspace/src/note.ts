import { git, gitText } from "./git.ts";
import { commitTree } from "./objects.ts";
import { type Repository, readRef, runRef, setRef } from "./repository.ts";

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

export interface Note {
  readonly commit: string;
  readonly text: string;
}

/** Every note below one part of a run's names, such as `resolutions`, by its ref. */
export async function readNotes(repository: Repository, run: string, part: string): Promise<ReadonlyMap<string, Note>> {
  const format = "--format=%(refname)%00%(objectname)%00%(contents)%00";
  const text = await gitText(["for-each-ref", format, "--", `${runRef(run, part)}/`], repository);
  const notes = new Map<string, Note>();
  const fields = text.split("\0");
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [ref = "", commit = "", said = ""] = fields.slice(at, at + 3);
    notes.set(ref.trim(), { commit, text: said.trim() });
  }
  return notes;
}
