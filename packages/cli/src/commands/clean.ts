import { openArtifactStore } from "@tutti/connect";
import { type EngineReader, everyRow } from "@tutti/engine";
import { AppError, type ArtifactStore, type ArtifactSweep } from "@tutti/kernel";
import { payloadSetting } from "../artifacts.ts";
import type { Command, Context } from "../command.ts";
import { codeOf } from "../problem.ts";
import { ensureFolder } from "../state.ts";
import { openStateReader } from "../state-reader.ts";
import { plural } from "../terminal/text.ts";

const daysDefault = 30;
const dayMs = 86_400_000;
/** What an instance begins with is put into the store before it begins. */
const beginningMsMax = 3_600_000;

export const clean: Command = {
  name: "clean",
  summary:
    "Removes artifacts that nothing which is open needs: bundles, transcripts and large payloads of what has ended.",
  about:
    "Only those that were put more than --days ago, and before everything that is open now began; those that its variables name are kept. Of what has ended the log stays, but its transcripts and large payloads go: on Temporal keep them for as long as the server keeps histories. A store that several installations use is for none of them to clean.",
  options: { days: { value: "N", help: `keep what is younger (default: ${daysDefault})` } },
  arguments: [],
  examples: ["tutti clean", "tutti clean --days 90"],
  async run(context) {
    const days = context.input.number("days", { min: 1, max: 3_650 }) ?? daysDefault;
    const { out } = context;
    const artifacts = await openArtifacts(context);
    try {
      const { removed, bytes } = await artifacts.sweep(policyOf(await neededBy(context), Date.now() - days * dayMs));
      out.text(`${plural(removed, "artifact")} removed, ${(bytes / 1024 ** 2).toFixed(1)} MiB.`);
      out.document({ removed, bytes });
    } finally {
      await artifacts.close();
    }
    return 0;
  },
};

async function openArtifacts({ state, environment }: Context): Promise<ArtifactStore> {
  const setting = payloadSetting(state);
  if (setting === undefined) {
    throw new AppError("artifacts-unnamed", "Expected a store of artifacts to clean, but none is named");
  }
  ensureFolder(state.path);
  return openArtifactStore({ setting, stateDir: state.path, environment });
}

/** What is open, on whichever engine. */
export interface Needed {
  /** Epoch ms: when the oldest of it began; infinite when nothing is open. */
  readonly since: number;
  /** Of artifacts that its variables name, whenever they were put. */
  readonly digests: ReadonlySet<string>;
}

/** Payloads of an open instance were put since it began; what came from before it, it names. */
export function policyOf({ since, digests }: Needed, before: number): ArtifactSweep {
  return { putBefore: Math.min(before, since - beginningMsMax), keep: (digest) => digests.has(digest) };
}

async function neededBy({ state }: Context): Promise<Needed> {
  let reader: EngineReader;
  try {
    reader = await openStateReader(state);
  } catch (error) {
    // Nothing has ever run here.
    if (codeOf(error) === "database-missing") return { since: Number.POSITIVE_INFINITY, digests: new Set() };
    throw error;
  }
  try {
    return await readNeeded(reader);
  } finally {
    await reader.close();
  }
}

async function readNeeded(reader: EngineReader): Promise<Needed> {
  let since = Number.POSITIVE_INFINITY;
  const digests = new Set<string>();
  const name = (value: unknown): void => {
    for (const [digest] of JSON.stringify(value).matchAll(/sha256-[0-9a-f]{64}/g)) digests.add(digest);
  };
  for await (const { instanceId, startedAt } of everyRow((page) =>
    reader.query("instances", { status: "open" }, page),
  )) {
    since = Math.min(since, startedAt);
    name(await reader.instance(instanceId));
  }
  for await (const { publishedAt, variables } of everyRow((page) => reader.query("messages", {}, page))) {
    since = Math.min(since, publishedAt);
    name(variables);
  }
  return { since, digests };
}
