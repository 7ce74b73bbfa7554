import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, realpath, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "@tutti/kernel";

/** Where a demo lies; absolute paths. */
export interface DemoFolder {
  readonly path: string;
  /** The web service's repository. */
  readonly repository: string;
  readonly plan: string;
  readonly script: string;
  readonly state: string;
  /** Where the result is checked out at the end. */
  readonly result: string;
}

/** Copies the demo's files into a folder of its own, so that a run can go on whatever becomes of the installation. */
export async function layOut(given: string | undefined, cwd: string): Promise<DemoFolder> {
  const source = materialFolder();
  const path =
    given === undefined ? await mkdtemp(join(tmpdir(), "tutti-demo-")) : await emptyFolder(resolve(cwd, given));
  const folder: DemoFolder = {
    path,
    repository: join(path, "notes"),
    plan: join(path, "agents", "plan.yaml"),
    script: join(path, "agents", "agents.yaml"),
    state: join(path, "state"),
    result: join(path, "result"),
  };
  await cp(join(source, "repository"), folder.repository, { recursive: true });
  // npm leaves out files of that name, so they are packed under another.
  const packed = join(folder.repository, "_gitignore");
  if (existsSync(packed)) await rename(packed, join(folder.repository, ".gitignore"));
  for (const name of ["plan.yaml", "agents.yaml", "edits"]) {
    await cp(join(source, name), join(path, "agents", name), { recursive: true });
  }
  return folder;
}

/** In the package, or in the checkout that it is built from. */
function materialFolder(): string {
  const places = ["../../examples/oauth-login", "../../../../examples/oauth-login"];
  const found = places
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((place) => existsSync(join(place, "plan.yaml")));
  if (found !== undefined) return found;
  throw new AppError("examples-missing", "Expected the demo's files beside the command, but they are not there");
}

async function emptyFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  if ((await readdir(path)).length === 0) return realpath(path);
  throw new AppError("folder-not-empty", `Expected ${path} to be empty, but there are files in it`);
}
