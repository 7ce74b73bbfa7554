import picomatch from "picomatch";

/** What a unit may write: globs relative to the repository's root. `src/` at the end of a pattern means everything below. */
export interface Claim {
  readonly owns: readonly string[];
  readonly may: readonly string[];
  readonly creates: readonly string[];
}

/** Answers whether a path lies within the claim. Compile once, ask often. */
export function claimMatcher(claim: Claim): (path: string) => boolean {
  const patterns = [...claim.owns, ...claim.may, ...claim.creates].map(normalise);
  if (patterns.length === 0) return () => false;
  return picomatch(patterns, { dot: true });
}

function normalise(pattern: string): string {
  const plain = pattern.replace(/^\.\//, "");
  return plain.endsWith("/") ? `${plain}**` : plain;
}
