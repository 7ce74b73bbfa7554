import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";

/** Whether this process could mount a file system at all. */
export const asRoot: boolean = process.platform === "linux" && process.getuid?.() === 0;

/** A file system of its own in memory, of a given size; undefined where mounting is not permitted. */
export function mountTemporary(
  path: string,
  options: { readonly megabytes: number; readonly readOnly?: boolean },
): { unmount(): void } | undefined {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const flags = `size=${options.megabytes}m,mode=0700${options.readOnly === true ? ",ro" : ""}`;
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", flags, "tmpfs", path]);
  if (status !== 0) return undefined;
  return {
    unmount: () => {
      // Lazily, for what still has a file open there is being ended just now.
      spawnSync("umount", ["-l", path]);
    },
  };
}
