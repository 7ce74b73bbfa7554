/** "Tutt" in ASCII: SQLite's own mark for whose file this is. */
export const applicationId = 0x54757474;

/**
 * Numbered migrations: number n brings `user_version` n-1 to n. A released one never changes.
 * Tables hold the instance's number, not its id: eight bytes at most in every row and index.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  -- The truth: one row per command. 'hash', in the last row of a turn, covers its rows and the hash before it.
  CREATE TABLE log (
    position INTEGER PRIMARY KEY,
    instance INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    events TEXT NOT NULL,
    hash TEXT
  ) STRICT;
  CREATE INDEX log_of_instance ON log (instance);
  CREATE TABLE blobs (digest TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE snapshots (
    instance INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL
  ) STRICT;

  CREATE TABLE instances (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    root_id TEXT NOT NULL,
    parent_id TEXT,
    process TEXT NOT NULL,
    version TEXT NOT NULL,
    hash TEXT NOT NULL,
    deployment TEXT NOT NULL,
    business_key TEXT,
    request_id TEXT,
    status TEXT NOT NULL,
    held INTEGER NOT NULL,
    incidents INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX instance_of_request ON instances (request_id) WHERE request_id IS NOT NULL;
  CREATE INDEX called_instances ON instances (root_id) WHERE parent_id IS NOT NULL;
  CREATE INDEX open_instances ON instances (ended_at, number) WHERE ended_at IS NULL;

  CREATE TABLE jobs (
    instance INTEGER NOT NULL,
    key INTEGER NOT NULL,
    element TEXT NOT NULL,
    job_type TEXT NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    since INTEGER NOT NULL,
    limit_key TEXT,
    PRIMARY KEY (instance, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE timers (
    instance INTEGER NOT NULL,
    key INTEGER NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (instance, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX timers_by_due ON timers (due, instance, key);
  CREATE TABLE tasks (
    instance INTEGER NOT NULL,
    key INTEGER NOT NULL,
    assignee TEXT,
    row TEXT NOT NULL,
    PRIMARY KEY (instance, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE incidents (
    instance INTEGER NOT NULL,
    key INTEGER NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY (instance, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE outbox (id INTEGER PRIMARY KEY, entry TEXT NOT NULL) STRICT;

  CREATE TABLE programs (
    hash TEXT PRIMARY KEY,
    process TEXT NOT NULL,
    version TEXT NOT NULL,
    document TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE deployments (id TEXT PRIMARY KEY, number INTEGER NOT NULL, programs TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE slots (queue TEXT PRIMARY KEY, slots INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  -- What happens between instances: who waits, what is kept, who was started by what, and when.
  ALTER TABLE instances ADD COLUMN started_by TEXT;
  ALTER TABLE deployments ADD COLUMN starts TEXT NOT NULL DEFAULT '{}';

  CREATE TABLE subscriptions (
    instance INTEGER NOT NULL,
    key INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    correlation_key TEXT,
    process TEXT NOT NULL,
    element TEXT NOT NULL,
    position INTEGER NOT NULL,
    since INTEGER NOT NULL,
    repeats INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    PRIMARY KEY (instance, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX subscriptions_by_channel ON subscriptions (name, correlation_key, kind, process, taken, instance, key);

  CREATE TABLE messages (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    correlation_key TEXT,
    id TEXT,
    payload TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    ttl_ms INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    forgotten_at INTEGER NOT NULL,
    receivers TEXT NOT NULL
  ) STRICT;
  CREATE INDEX messages_by_channel ON messages (name, correlation_key, kind, number);
  CREATE INDEX messages_by_id ON messages (id, name, correlation_key, kind) WHERE id IS NOT NULL;
  CREATE INDEX messages_by_end ON messages (forgotten_at, number);

  CREATE TABLE holders (
    channel TEXT NOT NULL,
    process TEXT NOT NULL,
    instance INTEGER NOT NULL,
    PRIMARY KEY (channel, process)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE schedules (
    process TEXT NOT NULL,
    element TEXT NOT NULL,
    place INTEGER NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY (process, element, place)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE rollouts (process TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  -- Starts that were refused. While 'message' is there, that message is not tried again.
  CREATE TABLE refusals (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    process TEXT NOT NULL,
    message INTEGER,
    row TEXT NOT NULL
  ) STRICT;
  CREATE INDEX refusals_of_message ON refusals (message, process) WHERE message IS NOT NULL;
  `,
  `
  -- How each version fares, kept as it happens. Buckets of durations as the kernel counts them.
  CREATE TABLE version_figures (hash TEXT PRIMARY KEY, process TEXT NOT NULL, figures TEXT NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO version_figures SELECT hash, process, json_object(
      'started', count(*), 'running', sum(ended_at IS NULL), 'completed', sum(status = 'completed'),
      'failed', sum(status = 'failed'), 'cancelled', sum(status = 'cancelled'), 'incidents', sum(incidents),
      'totalMs', sum(CASE status WHEN 'completed' THEN ended_at - started_at ELSE 0 END),
      'durations', (SELECT json_group_object(CAST(bucket AS TEXT), completed) FROM
        (SELECT CASE WHEN ended_at - started_at < 1 THEN 0
            ELSE 1 + CAST(4 * log2(ended_at - started_at) AS INTEGER) END AS bucket, count(*) AS completed
          FROM instances WHERE hash = of.hash AND status = 'completed' GROUP BY bucket)))
    FROM instances of GROUP BY hash;
  `,
  `
  -- How many of an instance's first events are those of the one that it was forked from.
  ALTER TABLE instances ADD COLUMN copied INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- What tells the command of a row from others that were given at the time; 0: nobody has to know.
  ALTER TABLE log ADD COLUMN cause INTEGER NOT NULL DEFAULT 0;
  `,
];
