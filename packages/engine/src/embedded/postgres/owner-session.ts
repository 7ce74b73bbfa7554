import type { Client } from "pg";

/** How often the session is asked whether it is still there, and how long it has to answer. */
const heartbeatEveryMs = 1_000;
const heartbeatMsMax = 4_000;
/** How long anything else may take; longer means that nobody is there any more. */
const answerMsMax = 60_000;

/** The session that holds the lock: tells at once when it has ended, also where the network says nothing. */
export class OwnerSession {
  readonly #client: Client;
  readonly #heartbeat: NodeJS.Timeout;
  #underWay = 0;
  #alive = true;

  constructor(client: Client, lost: () => void) {
    this.#client = client;
    this.#heartbeat = setInterval(() => void this.#ask(), heartbeatEveryMs);
    this.#heartbeat.unref();
    client.once("end", () => {
      clearInterval(this.#heartbeat);
      if (!this.#alive) return;
      this.#alive = false;
      lost();
    });
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  async use<T>(work: (client: Client) => Promise<T>, msMax: number = answerMsMax): Promise<T> {
    const late = setTimeout(() => this.#client.connection.stream.destroy(), msMax);
    this.#underWay++;
    try {
      return await work(this.#client);
    } finally {
      this.#underWay--;
      clearTimeout(late);
    }
  }

  /** Gives the lock free, if it is still held. */
  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    if (!this.#alive) return;
    this.#alive = false;
    // Said aloud: whoever comes next must not find the lock of a session that is just ending.
    await this.use((client) => client.query("SELECT pg_advisory_unlock_all()"), heartbeatMsMax).catch(() => undefined);
    await this.#client.end();
  }

  async #ask(): Promise<void> {
    // Whatever is under way asks the same.
    if (this.#underWay > 0 || !this.#alive) return;
    await this.use((client) => client.query("SELECT"), heartbeatMsMax).catch(() => undefined);
  }
}
