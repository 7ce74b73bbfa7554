import { randomBytes } from "node:crypto";
import { AppError } from "@tutti/kernel";
import { nearest } from "../args/nearest.ts";
import type { RunReader } from "./reader.ts";

const slugCharactersMax = 32;
const suffixCharacters = 6;

/** Short, readable and unique: the feature's first words and six random characters. */
export function makeRunId(feature: string, random: Uint8Array = randomBytes(8)): string {
  const words = feature
    .normalize("NFKD")
    .replace(/[^\p{ASCII}]/gu, "")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  let slug = "";
  for (const word of words) {
    const longer = slug === "" ? word.slice(0, slugCharactersMax) : `${slug}-${word}`;
    if (longer.length > slugCharactersMax) break;
    slug = longer;
  }
  const number = random.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const suffix = number.toString(36).padStart(suffixCharacters, "0").slice(-suffixCharacters);
  return `${slug === "" ? "run" : slug}-${suffix}`;
}

/**
 * The run that a person means: by its id or the only one that starts so (or ends so); without one, the only open run,
 * else the newest.
 */
export async function resolveRun(runs: Pick<RunReader, "ids">, given: string | undefined): Promise<string> {
  const known = await runs.ids();
  if (given === undefined) {
    const open = known.filter((run) => run.open);
    const [chosen] = open.length === 1 ? open : known;
    if (chosen === undefined)
      throw new AppError("run-none", "Expected a run in this state folder, but there is none yet");
    if (open.length > 1) {
      const names = open.map(({ run }) => run);
      throw new AppError("run-ambiguous", `Expected one open run, but there are ${names.length}: ${names.join(", ")}`, {
        details: { runs: names },
      });
    }
    return chosen.run;
  }
  if (known.some(({ run }) => run === given)) return given;
  const meant = known.filter(({ run }) => run.startsWith(given) || run.endsWith(given)).map(({ run }) => run);
  const [only, ...others] = meant;
  if (only === undefined) {
    const near = nearest(
      given,
      known.map(({ run }) => run),
    );
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    throw new AppError("run-unknown", `Expected a run of this state folder, but there is no '${given}'${hint}`);
  }
  if (others.length > 0) {
    throw new AppError("run-ambiguous", `Expected one run, but '${given}' may be ${meant.join(", ")}`, {
      details: { runs: meant },
    });
  }
  return only;
}
