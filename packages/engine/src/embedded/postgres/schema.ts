/**
 * Numbered migrations: number n brings a schema from n-1 to n. A released one never changes. The columns are those of
 * the SQLite store, so that rows are read alike, with these differences:
 *
 * - An entry of an index holds at most 2,704 bytes. Names and correlation keys of messages have no such limit, so they
 *   are found by `channel`, the digest of both.
 * - JSON is text: `jsonb` would change its bytes, which the hash of the log covers, and refuses the character U+0000.
 * - Text compares by bytes (`COLLATE "C"`) where an order is made of it, whatever the language of the database is.
 */
export const migrations: readonly string[] = [
  `
  -- Who writes. Each opening takes the next epoch; a turn of an earlier one is refused.
  CREATE TABLE owner (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL,
    description text
  );
  INSERT INTO owner (epoch) VALUES (0);
  -- Begins every turn. The lock on the row keeps a new owner from coming in between.
  CREATE FUNCTION fence(mine bigint) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM FROM owner WHERE epoch = mine FOR SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'another owner has taken over' USING ERRCODE = 'TU001';
    END IF;
  END $$;

  -- The truth: one row per command. 'hash', in the last row of a turn, covers its rows and the hash before it.
  CREATE TABLE log (
    position bigint PRIMARY KEY,
    instance bigint NOT NULL,
    sequence bigint NOT NULL,
    at bigint NOT NULL,
    codec integer NOT NULL,
    events text NOT NULL,
    hash text,
    UNIQUE (instance, sequence)
  );
  CREATE TABLE blobs (digest text PRIMARY KEY, content text NOT NULL);
  CREATE TABLE snapshots (
    instance bigint PRIMARY KEY,
    sequence bigint NOT NULL,
    position bigint NOT NULL,
    state text NOT NULL
  );

  CREATE TABLE instances (
    number bigint PRIMARY KEY,
    id text NOT NULL UNIQUE,
    root_id text NOT NULL,
    parent_id text,
    process text NOT NULL,
    version text NOT NULL,
    hash text NOT NULL,
    deployment text NOT NULL,
    business_key text,
    request_id text,
    status text NOT NULL,
    held boolean NOT NULL,
    incidents bigint NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint,
    started_by text,
    copied bigint NOT NULL
  );
  CREATE UNIQUE INDEX instance_of_request ON instances (request_id) WHERE request_id IS NOT NULL;
  CREATE INDEX called_instances ON instances (root_id) WHERE parent_id IS NOT NULL;
  CREATE INDEX open_instances ON instances (number) WHERE ended_at IS NULL;

  CREATE TABLE jobs (
    instance bigint NOT NULL,
    key bigint NOT NULL,
    element text NOT NULL,
    job_type text NOT NULL,
    queue text NOT NULL,
    priority bigint NOT NULL,
    attempt bigint NOT NULL,
    not_before bigint NOT NULL,
    since bigint NOT NULL,
    limit_key text,
    PRIMARY KEY (instance, key)
  );
  CREATE TABLE timers (
    instance bigint NOT NULL,
    key bigint NOT NULL,
    due bigint NOT NULL,
    PRIMARY KEY (instance, key)
  );
  CREATE INDEX timers_by_due ON timers (due, instance, key);
  CREATE TABLE tasks (
    instance bigint NOT NULL,
    key bigint NOT NULL,
    assignee text,
    row text NOT NULL,
    PRIMARY KEY (instance, key)
  );
  CREATE TABLE incidents (
    instance bigint NOT NULL,
    key bigint NOT NULL,
    row text NOT NULL,
    PRIMARY KEY (instance, key)
  );
  CREATE TABLE outbox (id bigint PRIMARY KEY, entry text NOT NULL);

  CREATE TABLE programs (hash text PRIMARY KEY, process text NOT NULL, version text NOT NULL, document text NOT NULL);
  CREATE TABLE deployments (id text PRIMARY KEY, number bigint NOT NULL, programs text NOT NULL, starts text NOT NULL);
  CREATE TABLE slots (queue text PRIMARY KEY, slots bigint NOT NULL);
  -- How each version fares, kept as it happens. Buckets of durations as the kernel counts them.
  CREATE TABLE version_figures (hash text COLLATE "C" PRIMARY KEY, process text NOT NULL, figures text NOT NULL);

  -- What happens between instances: who waits, what is kept, who was started by what, and when.
  CREATE TABLE subscriptions (
    instance bigint NOT NULL,
    key bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    correlation_key text,
    channel text NOT NULL,
    process text COLLATE "C" NOT NULL,
    element text NOT NULL,
    position bigint NOT NULL,
    since bigint NOT NULL,
    repeats boolean NOT NULL,
    taken boolean NOT NULL,
    PRIMARY KEY (instance, key)
  );
  CREATE INDEX subscriptions_by_channel ON subscriptions (channel, kind, process, taken, instance, key);

  -- 'received_by' are the processes of 'receivers'.
  CREATE TABLE messages (
    number bigint PRIMARY KEY,
    kind text NOT NULL,
    name text NOT NULL,
    correlation_key text COLLATE "C",
    channel text NOT NULL,
    id text,
    payload text NOT NULL,
    published_at bigint NOT NULL,
    ttl_ms bigint NOT NULL,
    expires_at bigint NOT NULL,
    forgotten_at bigint NOT NULL,
    receivers text NOT NULL,
    received_by text[] NOT NULL
  );
  CREATE INDEX messages_by_channel ON messages (channel, kind, number);
  CREATE INDEX messages_by_name ON messages (left(name, 200), number);
  CREATE INDEX messages_by_id ON messages (id) WHERE id IS NOT NULL;
  CREATE INDEX messages_by_end ON messages (forgotten_at, number);

  CREATE TABLE holders (
    channel text NOT NULL,
    process text NOT NULL,
    named text NOT NULL,
    instance bigint NOT NULL,
    PRIMARY KEY (channel, process)
  );
  CREATE TABLE schedules (
    process text COLLATE "C" NOT NULL,
    element text COLLATE "C" NOT NULL,
    place bigint NOT NULL,
    row text NOT NULL,
    PRIMARY KEY (process, element, place)
  );
  CREATE TABLE rollouts (process text COLLATE "C" PRIMARY KEY, row text NOT NULL);
  -- Starts that were refused. While 'message' is there, that message is not tried again.
  CREATE TABLE refusals (
    number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    process text NOT NULL,
    message bigint,
    row text NOT NULL
  );
  CREATE INDEX refusals_of_message ON refusals (message, process) WHERE message IS NOT NULL;
  `,
  `
  -- Which engine writes here: 'embedded', one process after the other, or 'temporal', any number at once. NULL: none has
  -- yet. 'definitions' moves on with each change of what is deployed or adjusted.
  ALTER TABLE owner ADD COLUMN engine text, ADD COLUMN definitions bigint NOT NULL DEFAULT 0;
  UPDATE owner SET engine = 'embedded' WHERE epoch > 0;
  -- What tells the command of a row from others that were given at the time; 0: nobody has to know.
  ALTER TABLE log ADD COLUMN cause bigint NOT NULL DEFAULT 0;
  `,
];
