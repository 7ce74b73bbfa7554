/** Limits of a plan, each with its unit. */
export const planLimits = {
  fileBytesMax: 1_048_576,
  unitsMax: 1_000,
  /** Entries of the short lists: requirements, acceptance, checks, names. */
  listMax: 1_000,
  /** Globs in one list of a claim. */
  pathsMax: 200,
  lineCharactersMax: 500,
  proseCharactersMax: 10_000,
  commandCharactersMax: 4_000,
} as const;
