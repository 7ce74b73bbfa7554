import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, delimiter, dirname, isAbsolute, join, sep } from "node:path";
import { AppError } from "@tutti/kernel";

/** Absolute path of a program, as a shell would find it; undefined when there is none. */
export async function findProgram(name: string, path: string = process.env["PATH"] ?? ""): Promise<string | undefined> {
  if (name.includes("/")) return isAbsolute(name) && (await isProgram(name)) ? name : undefined;
  for (const folder of path.split(delimiter)) {
    // A relative entry would let the workspace decide which program runs.
    if (isAbsolute(folder) && (await isProgram(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

export async function requireProgram(name: string, path?: string): Promise<string> {
  const found = await findProgram(name, path);
  if (found !== undefined) return found;
  throw new AppError("agent-not-found", `Expected a program '${name}', but it is not there or not executable.`, {
    details: { program: name },
  });
}

/**
 * The read-only paths a program needs to run from where it is installed: the whole node_modules it is part of, its
 * folder when that is a package or a `bin`, else the file alone, for what lies beside it may be anybody's. Never the
 * home folder or anything above it.
 */
export async function installationOf(program: string): Promise<readonly string[]> {
  const real = await realpath(program);
  const folder = await installationFolder(real);
  return folder === undefined || holdsHome(folder) ? [real] : [folder];
}

async function installationFolder(real: string): Promise<string | undefined> {
  const parts = real.split(sep);
  const modules = parts.indexOf("node_modules");
  if (modules > 0) return parts.slice(0, modules + 1).join(sep);
  const folder = dirname(real);
  return basename(folder) === "bin" || (await exists(join(folder, "package.json"))) ? folder : undefined;
}

/**
 * Read-only paths behind the entries of PATH, so that the tools a repository's tests need are there: the entry
 * itself, and what entries of the usual tool managers point into.
 */
export async function toolFolders(path: string): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const entry of path.split(delimiter)) {
    if (!isAbsolute(entry) || holdsHome(entry) || !(await exists(entry))) continue;
    folders.push(...(await behind(entry)));
  }
  return folders;
}

async function behind(entry: string): Promise<readonly string[]> {
  const parent = dirname(entry);
  // node_modules/.bin links into the packages beside it; pyenv, rbenv and asdf keep everything beside their shims.
  const whole = (basename(entry) === ".bin" && basename(parent) === "node_modules") || basename(entry) === "shims";
  if (whole && !holdsHome(parent)) return [parent];
  // A Node.js prefix: bin/npm links into lib/node_modules.
  const modules = join(parent, "lib", "node_modules");
  return (await exists(modules)) ? [entry, modules] : [entry];
}

function holdsHome(folder: string): boolean {
  return `${homedir()}${sep}`.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
