import { userInfo } from "node:os";

/** Who asks, for the audit. */
export function actor(): string {
  try {
    return `person:${userInfo().username}`;
  } catch {
    // A user id without a name, as in some containers.
    return `person:${process.getuid?.() ?? "unknown"}`;
  }
}
