import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, extname, join } from "node:path";
import { env, pid } from "node:process";
import { fileURLToPath } from "node:url";

interface Bundle {
  readonly code: string;
}

const here = dirname(fileURLToPath(import.meta.url));
/** Sources, or what was compiled of them: what runs is what is bundled. */
const kind = extname(fileURLToPath(import.meta.url));
const composed = join(here, `../compose-workflow${kind}`);
/** Lies in every package that is published: `scripts/pack-files.mjs` makes it. */
const ready = join(here, "../workflow-bundle.cjs");

/**
 * What workers run in Temporal's sandbox. Making it takes seconds: a published package has it ready, in a checkout it is
 * kept by its content.
 */
export async function workflowBundle(): Promise<Bundle> {
  if (kind === ".js" && existsSync(ready)) return { code: await readFile(ready, "utf8") };
  const folder = join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tutti");
  const kept = join(folder, `workflow-${await contentHash()}.cjs`);
  if (existsSync(kept)) return { code: await readFile(kept, "utf8") };
  const bundle = await makeBundle();
  await mkdir(folder, { recursive: true });
  // Beside its place first: nobody ever reads half of it.
  const half = `${kept}.${pid}`;
  await writeFile(half, bundle.code);
  await rename(half, kept);
  return bundle;
}

export async function makeBundle(): Promise<Bundle> {
  const { bundleProcessWorkflow } = await import("@tutti/engine/temporal");
  const conditions = kind === ".ts" ? ["@tutti/source"] : [];
  return bundleProcessWorkflow({ workflowsPath: composed, conditions });
}

/** Of every module of ours that may be in it, and of the list of the others' versions. */
async function contentHash(): Promise<string> {
  const hash = createHash("sha256");
  const folders = ["kernel", "definition", "engine"].map((name) =>
    dirname(fileURLToPath(import.meta.resolve(`@tutti/${name}`))),
  );
  const files = [composed];
  for (const folder of folders) {
    const names = await readdir(folder, { recursive: true });
    files.push(...names.filter((name) => extname(name) === kind).map((name) => join(folder, name)));
  }
  const lock = join(here, "../../../../package-lock.json");
  if (existsSync(lock)) files.push(lock);
  for (const file of files.sort()) hash.update(`${file}\0`).update(await readFile(file));
  return hash.digest("hex").slice(0, 16);
}
