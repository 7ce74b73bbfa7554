import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ArtifactReference } from "@tutti/kernel";
import { openFolderArtifactStore } from "../artifact/folder.ts";
import { type ArtifactKey, artifactKey } from "../artifact/seal.ts";
import { type ArtifactHarness, artifactStoreSuite } from "./artifact-store.suite.ts";

async function folderHarness(key?: ArtifactKey): Promise<ArtifactHarness> {
  const folder = await mkdtemp(join(tmpdir(), "tutti-artifacts-"));
  const pathOf = ({ digest }: ArtifactReference): string => {
    const hex = digest.slice("sha256-".length);
    return join(folder, hex.slice(0, 2), key === undefined ? hex : `${hex}.sealed`);
  };
  return {
    open: (options = {}) => openFolderArtifactStore({ folder, ...options, ...(key === undefined ? {} : { key }) }),
    damage: async (reference, change) => writeFile(pathOf(reference), change(await readFile(pathOf(reference)))),
    count: async () =>
      (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

artifactStoreSuite("artifacts in a folder", () => folderHarness());
artifactStoreSuite("artifacts in a folder, encrypted", () => folderHarness(artifactKey(new Uint8Array(32).fill(7))));
