import picomatch from "picomatch";

/** `src/` means everything below it, as in a claim. */
function normalise(pattern: string): string {
  const plain = pattern.replace(/^\.\//, "");
  return plain.endsWith("/") ? `${plain}**` : plain;
}

function isLiteral(pattern: string): boolean {
  return !picomatch.scan(pattern).isGlob;
}

/** The folders at the start of a glob that hold no wildcard. */
function fixedStart(pattern: string): string {
  return picomatch.scan(pattern).base;
}

/**
 * Whether two globs can name the same path. Exact when one of them is a plain path; for two real globs it errs on the
 * side of yes: their fixed beginnings lie on one line.
 */
export function globsOverlap(a: string, b: string): boolean {
  const x = normalise(a);
  const y = normalise(b);
  if (isLiteral(x)) return isLiteral(y) ? x === y : picomatch.isMatch(x, y, { dot: true });
  if (isLiteral(y)) return picomatch.isMatch(y, x, { dot: true });
  const startX = fixedStart(x);
  const startY = fixedStart(y);
  const within = (inner: string, outer: string): boolean =>
    outer === "" || outer === "." || inner === outer || inner.startsWith(`${outer}/`);
  return within(startX, startY) || within(startY, startX);
}

export function matchesAny(pattern: string, files: readonly string[]): boolean {
  const matches = picomatch(normalise(pattern), { dot: true });
  return files.some((file) => matches(file));
}

// Each more multiplies the time that matching a long name takes by its length.
const wildcardsMax = 3;

/** Why a claimed path cannot be one of the repository; undefined when it can. */
export function pathProblem(pattern: string): string | undefined {
  const steps = pattern.split("/");
  if (pattern.startsWith("/") || /^[A-Za-z]:/.test(pattern)) return "it is absolute";
  if (pattern.includes("\\") || pattern.includes("\0"))
    return "it holds a character that no path of a repository should";
  if (steps.includes("..")) return "it leaves the repository";
  if (steps.some((step) => step.toLowerCase() === ".git")) return "it lies in .git";
  const wildcards = Math.max(...steps.map((step) => (step === "**" ? 0 : step.split("*").length - 1)));
  const depths = steps.filter((step) => step === "**").length;
  if (wildcards > wildcardsMax || depths > wildcardsMax) return `it has more than ${wildcardsMax} wildcards in a row`;
  return undefined;
}
