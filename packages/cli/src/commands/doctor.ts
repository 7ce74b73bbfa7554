import { access, constants, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { detectAgents, findBubblewrap } from "@tutti/agents";
import { currentOwner } from "@tutti/engine";
import { AppError } from "@tutti/kernel";
import { requireGit } from "@tutti/workspace";
import type { Command, Context } from "../command.ts";
import { codeOf, problemOf } from "../problem.ts";
import { openStateReader } from "../state-reader.ts";
import { plural } from "../terminal/text.ts";
import { version } from "../version.ts";

interface Finding {
  readonly name: string;
  /** `missing` is worth knowing, `broken` keeps Tutti from working. */
  readonly state: "ok" | "missing" | "broken";
  readonly about: string;
  readonly advice: string | null;
}

const freeBytesMin = 1024 ** 3;

export const doctor: Command = {
  name: "doctor",
  summary: "Checks what this machine has and lacks: Node, git, the sandbox, agents, the state folder. Changes nothing.",
  options: {},
  arguments: [],
  async run(context) {
    const { out } = context;
    const findings = [
      node(),
      await git(),
      await sandbox(),
      ...(await agents()),
      await folder(context),
      await database(context),
    ];
    const broken = findings.filter(({ state }) => state === "broken");
    out.document({ version: version(), healthy: broken.length === 0, findings });
    const paint = { ok: out.style.green, missing: out.style.yellow, broken: out.style.red };
    const marks = { ok: "✓", missing: "–", broken: "✗" };
    for (const { name, state, about, advice } of findings) {
      out.text(`${paint[state](marks[state])} ${name.padEnd(10)} ${about}`);
      if (advice !== null && state !== "ok") out.text(`             → ${advice}`);
    }
    return broken.length === 0 ? 0 : 1;
  },
};

function node(): Finding {
  const enough = Number(process.versions.node.split(".")[0]) >= 24;
  const about = `Node ${process.versions.node}, Tutti ${version()}, ${process.platform}`;
  return { name: "node", state: enough ? "ok" : "broken", about, advice: "Install Node 24 or later." };
}

async function git(): Promise<Finding> {
  try {
    const found = await requireGit();
    return {
      name: "git",
      state: "ok",
      about: `git ${typeof found === "string" ? found : "2.39 or later"}`,
      advice: null,
    };
  } catch (error) {
    const { message, advice } = await problemOf(error);
    return { name: "git", state: "broken", about: message, advice };
  }
}

async function sandbox(): Promise<Finding> {
  const found = await findBubblewrap();
  if (found.ok) {
    return { name: "sandbox", state: "ok", about: `bubblewrap ${found.bubblewrap.version}`, advice: null };
  }
  const advice = "Install bubblewrap; without it only scripted agents run, others need `--sandbox none`.";
  return { name: "sandbox", state: "missing", about: found.reason, advice };
}

async function agents(): Promise<Finding[]> {
  const detected = await detectAgents();
  const installed = detected.filter(({ program, missing }) => program !== null && missing.length === 0);
  if (installed.length === 0) {
    const [first] = detected;
    const about = `no known coding agent on the PATH (${detected.map(({ preset }) => preset.name).join(", ")})`;
    return [{ name: "agents", state: "missing", about, advice: `For example: ${first?.preset.install ?? ""}` }];
  }
  return installed.map(({ preset, program, keysSet }) => ({
    name: preset.name,
    state: "ok",
    about: `${preset.title} at ${program}${keysSet.length === 0 ? "" : `; set: ${keysSet.join(", ")}`}`,
    advice: null,
  }));
}

async function folder({ state }: Context): Promise<Finding> {
  const owner = currentOwner(state.path);
  const held =
    owner === undefined
      ? "nobody owns it"
      : `process ${owner.pid} owns it since ${new Date(owner.since).toISOString()}`;
  const place = await nearestFolder(state.path);
  try {
    await access(place, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(place);
    const free = bavail * bsize;
    const about = `${state.path}, ${Math.round(free / 1024 ** 2)} MiB free, ${held}`;
    return {
      name: "state",
      state: free >= freeBytesMin ? "ok" : "missing",
      about,
      advice: "Make room: less than 1 GiB is free.",
    };
  } catch {
    return {
      name: "state",
      state: "broken",
      about: `${place} cannot be written to`,
      advice: "Make it writable, or name another with --state.",
    };
  }
}

/** The folder itself, or the one it would be made in. */
async function nearestFolder(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const there = await access(at).then(
      () => true,
      () => false,
    );
    if (there || dirname(at) === at) return at;
  }
}

async function database({ state }: Context): Promise<Finding> {
  try {
    const reader = await openStateReader(state);
    const { rows } = await reader.query("instances", { status: "open", process: "feature" }, { limit: 1_000 });
    await reader.close();
    return { name: "database", state: "ok", about: `sound, ${plural(rows.length, "open instance")}`, advice: null };
  } catch (error) {
    if (codeOf(error) === "database-missing") {
      return { name: "database", state: "ok", about: "none yet: nothing has run here", advice: null };
    }
    if (!(error instanceof AppError)) throw error;
    const { message, advice } = await problemOf(error);
    return { name: "database", state: "broken", about: message, advice };
  }
}
