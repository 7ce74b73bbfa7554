/** Every limit of the embedded engine, in one place. All can be set when it is created. */
export interface EngineLimits {
  /** Commands decided and written together. More makes turns longer and answers later. */
  readonly commandsPerTurnMax: number;
  /** Commands of callers that may wait; one more is refused with `engine-busy`. */
  readonly waitingCommandsMax: number;
  /** Records in the states kept in memory; the least recently used instances beyond it are let go. */
  readonly recordsInMemoryMax: number;
  /** The nearest timers kept in memory; the others stay in their table until their time comes near. */
  readonly nearTimersMax: number;
  /** An instance with fewer events than this since its last snapshot gets none. */
  readonly snapshotEventsMin: number;
  /** The newest rows of the log that followers read without asking the store. */
  readonly recentRowsMax: number;
  /** Characters in one payload from outside: variables, results, items. */
  readonly payloadCharsMax: number;
  /** How long an aborted handler keeps its slot while it winds down. */
  readonly abortGraceMs: number;
  /** How often a store that refused to write is tried again. */
  readonly storageRetryMs: number;
  /** Messages that are remembered at once; one more from a caller is refused with `engine-busy`. */
  readonly messagesKeptMax: number;
  /** Characters in one message or signal. */
  readonly messageCharsMax: number;
  /** Instances that one signal reaches in one turn; the others follow. */
  readonly signalsPerTurnMax: number;
  /** Quiet time after which the store may do its upkeep. */
  readonly idleMs: number;
}

export const defaultLimits: EngineLimits = {
  commandsPerTurnMax: 1_000,
  waitingCommandsMax: 100_000,
  recordsInMemoryMax: 1_000_000,
  nearTimersMax: 10_000,
  snapshotEventsMin: 1_000,
  recentRowsMax: 256,
  payloadCharsMax: 16_777_216,
  abortGraceMs: 5_000,
  storageRetryMs: 1_000,
  messagesKeptMax: 1_000_000,
  messageCharsMax: 1_048_576,
  signalsPerTurnMax: 256,
  idleMs: 200,
};

/** Rows of the log that a fork may begin with: they are written in one turn. */
export const forkRowsMax = 50_000;

/** Ids that callers choose. */
export const idCharsMax = 200;
