import { readFileSync } from "node:fs";

/** The release, from the package's own manifest, which lies beside both `src` and `dist`. */
export function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}
