import { type CommitIdentity, newestDate, type Repository } from "@tutti/workspace";

/**
 * Who commits: Tutti, at the date of what the commit builds on. No clock is asked, so the same work gives the same
 * commit, whether or not a crash came between.
 */
export async function identityAfter(repository: Repository, commits: readonly string[]): Promise<CommitIdentity> {
  return { name: "Tutti", email: "tutti@tutti.invalid", at: await newestDate(repository, commits) };
}
