import { createHash } from "node:crypto";
import { readlinkSync } from "node:fs";
import { join, posix } from "node:path";
import { type Claim, claimMatcher } from "./claim.ts";
import type { Change } from "./objects.ts";
import { statusOf } from "./tree-walk.ts";

export type FindingKind =
  /** Changed although the unit's claim does not name it. It is in the commit; the unit's work loop repairs it. */
  | "outside-claim"
  /** A link that leads out of the tree. Not in the commit. */
  | "symlink-escape"
  /** A `.git` inside the tree. Its files are in the commit, the `.git` is not. */
  | "nested-repository"
  /** A pipe, socket or device. Not in the commit. */
  | "special-file"
  /** Not in the commit. */
  | "file-too-large"
  /** A name that git or another system cannot hold. Not in the commit. */
  | "invalid-name"
  /** An added line looks like a key or password. In the commit; a person or the caller decides. */
  | "secret-like";

export interface Finding {
  readonly kind: FindingKind;
  readonly path: string;
  /** One sentence; never contains the secret itself. */
  readonly message: string;
}

/** What stands against taking one file or link into the index, or undefined. Reads no content of files. */
export function judgeEntry(
  path: string,
  entry: { readonly root: string; readonly baseBlob: string | undefined; readonly fileBytesMax: number },
): Finding | undefined {
  if (path.includes("\uFFFD") || path.split("/").some(isForbiddenName)) {
    return { kind: "invalid-name", path, message: `${path} is a name that cannot be stored safely` };
  }
  const full = join(entry.root, path);
  const stat = statusOf(full);
  if (stat?.isSymbolicLink()) {
    const target = readlinkSync(full);
    if (!leavesTree(path, target) || blobId(target, entry.baseBlob) === entry.baseBlob) return undefined;
    return { kind: "symlink-escape", path, message: `${path} is a link to ${target}, which is not in the tree` };
  }
  if (stat !== undefined && stat.size > entry.fileBytesMax) {
    const message = `${path} has ${stat.size} bytes; the limit is ${entry.fileBytesMax}`;
    return { kind: "file-too-large", path, message };
  }
  return undefined;
}

/**
 * Whether a link may lead out. Only targets that go up first and then down are safe to judge by their text: a `..`
 * after a name would step out of wherever that name leads.
 */
export function leavesTree(path: string, target: string): boolean {
  if (target === "" || target.startsWith("/")) return true;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const down = parts.findIndex((part) => part !== "..");
  if (down >= 0 && parts.slice(down).includes("..")) return true;
  if (parts.some((part) => isForbiddenName(part))) return true;
  const resolved = posix.normalize(posix.join(posix.dirname(path), target));
  return resolved === ".." || resolved.startsWith("../");
}

// HFS+ on macOS does not see these characters at all.
const unseen = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** Names that git refuses because some file system reads them as `.git`. */
function isForbiddenName(name: string): boolean {
  return /^(?:\.git|git~1)(?:[ .]*$|:)/i.test(name.replace(unseen, ""));
}

function blobId(content: string, like: string | undefined): string {
  const bytes = Buffer.from(content);
  const algorithm = like?.length === 64 ? "sha256" : "sha1";
  return createHash(algorithm).update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

export function judgeChanges(changed: readonly Change[], claim: Claim | undefined): Finding[] {
  if (claim === undefined) return [];
  const inside = claimMatcher(claim);
  return changed
    .filter(({ path }) => !inside(path))
    .map(({ path, status }) => ({
      kind: "outside-claim",
      path,
      message: `${path} was ${status}, but the unit claims only ${shown([...claim.owns, ...claim.may, ...claim.creates])}`,
    }));
}

function shown(patterns: readonly string[]): string {
  if (patterns.length === 0) return "nothing";
  return patterns.slice(0, 6).join(", ") + (patterns.length > 6 ? ", …" : "");
}

const secretPatterns: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a private key", /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/],
  ["an AWS access key", /\bAKIA[0-9A-Z]{16}\b/],
  ["a GitHub token", /\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b/],
  ["an API key", /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}\b/],
  ["a Slack token", /\bxox[abprs]-[A-Za-z0-9-]{20,}\b/],
];

/** Looks only at added lines, so what was there before is nobody's finding. One per file and kind. */
export function judgeSecrets(patch: string): Finding[] {
  const findings = new Map<string, Finding>();
  let path = "";
  // An added line may look like a header, but headers stand only before the first hunk of a file.
  let inHeader = true;
  for (const line of patch.split("\n")) {
    if (line.startsWith("diff --git ")) inHeader = true;
    else if (line.startsWith("@@")) inHeader = false;
    else if (inHeader && line.startsWith("+++ ")) path = line.replace(/^\+\+\+ (?:b\/)?/, "");
    else if (line.startsWith("+")) {
      for (const [what, pattern] of secretPatterns) {
        if (!pattern.test(line)) continue;
        findings.set(`${path}\0${what}`, {
          kind: "secret-like",
          path,
          message: `${path} adds what looks like ${what}`,
        });
      }
    }
  }
  return [...findings.values()];
}
