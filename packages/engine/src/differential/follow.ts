import type { WorkflowClient } from "@temporalio/client";
import type { Engine } from "../port.ts";
import { sameJson } from "../simulation/same.ts";
import { isPassing } from "../temporal/courier.ts";
import { type Action, perform } from "./action.ts";
import type { Book } from "./book.ts";
import type { Hands } from "./hands.ts";
import { epoch, type Path, rootOf, type Step } from "./path.ts";
import { type Asked, askedOf, unlike } from "./server-history.ts";

/** One engine on Temporal, on which many paths are gone at once. */
export interface Ground {
  readonly engine: Engine;
  readonly hands: Hands;
  readonly book: Book;
  readonly client: WorkflowClient;
  /** How long something may take that has to happen. */
  readonly patienceMs: number;
}

export interface Followed {
  /** What is otherwise on Temporal than on the embedded engine. */
  readonly difference: string | undefined;
  /** Instances that went on in a new execution. */
  readonly anew: number;
}

/** Goes a path again on Temporal. */
export async function follow(path: Path, ground: Ground): Promise<Followed> {
  const follower = new Follower(path, ground);
  try {
    const difference = await follower.go().catch((error: unknown) => `it throws ${told(error)}`);
    return { difference, anew: follower.anew };
  } finally {
    await follower.leave();
  }
}

class Follower {
  anew = 0;
  readonly #path: Path;
  readonly #ground: Ground;
  #now: number = epoch;

  constructor(path: Path, ground: Ground) {
    this.#path = path;
    this.#ground = ground;
  }

  async go(): Promise<string | undefined> {
    const { steps } = this.#path;
    let before: Step["lengths"] = new Map();
    for (const [index, step] of steps.entries()) {
      const other = (await this.#step(step)) ?? (await this.#happened(step.lengths, before));
      if (other !== undefined) return `step ${index + 1} of ${steps.length}, ${JSON.stringify(step.action)}: ${other}`;
      if (step.action.type === "job") this.#ground.hands.settled(step.action.name);
      before = step.lengths;
    }
    return this.#asked();
  }

  async leave(): Promise<void> {
    const { book, client } = this.#ground;
    for (const id of this.#mine()) {
      await client
        .getHandle(id)
        .terminate("the path ends here")
        .catch(() => undefined);
      book.forget(id);
    }
  }

  #mine(): string[] {
    return this.#ground.book.instances(rootOf(this.#path.seed));
  }

  async #step({ action, answer }: Step): Promise<string | undefined> {
    if (action.type === "pass") {
      await this.#pass(action.to);
      return undefined;
    }
    const answered = await this.#inTime(perform(action, this.#ground), action);
    if (sameJson(JSON.stringify(answered), JSON.stringify(answer))) return undefined;
    return `the answer is ${JSON.stringify(answered)}, and was ${JSON.stringify(answer)}`;
  }

  async #inTime<T>(answer: Promise<T>, { type }: Pick<Action, "type">): Promise<T | string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`no answer to '${type}'`), this.#ground.patienceMs);
    });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  }

  async #pass(to: number): Promise<void> {
    this.#now = to;
    const mine = this.#mine();
    // What one of them does to another happens at the same time there.
    if (mine.length > 1) await Promise.all(mine.map((id) => this.#tell(id, { rings: false })));
    // Who calls comes before who is called: its own timers are due before it hears of an end at the same moment.
    for (const id of mine) await this.#tell(id);
  }

  /** What time it is. Whoever has answered has done, and asked of the server, what it knew before. */
  async #tell(instanceId: string, { rings }: { readonly rings: boolean } = { rings: true }): Promise<void> {
    const { client } = this.#ground;
    while (!this.#isOver(instanceId)) {
      try {
        const args: [number, boolean] = [this.#now, rings];
        const update = client.getHandle(instanceId).executeUpdate<null, [number, boolean]>("pass", { args });
        const late = await this.#inTime(update, { type: "pass" });
        if (late) throw new Error(`${instanceId}: ${late}`);
        return;
      } catch (error) {
        // It goes on in a new execution at this moment, or ends.
        if (!isPassing(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** An answer may be the last of its execution. The next one has asked the server for all it needs once it answers. */
  async #settled(instanceId: string): Promise<Asked> {
    for (let executions = 1; ; ) {
      await this.#tell(instanceId);
      const asked = await askedOf(this.#ground.client, instanceId);
      if (asked.executions === executions) return asked;
      executions = asked.executions;
    }
  }

  #isOver(instanceId: string): boolean {
    const last = this.#ground.book.of(instanceId).at(-1)?.event.type ?? "";
    return ["instance-completed", "instance-failed", "instance-cancelled"].includes(last);
  }

  /** Waits for as many events as there were, and compares those that are new. */
  async #happened(lengths: Step["lengths"], before: Step["lengths"]): Promise<string | undefined> {
    const { book, patienceMs } = this.#ground;
    await book.until(() => [...lengths].every(([id, length]) => book.of(id).length >= length), patienceMs);
    for (const [id, length] of lengths) {
      const wanted = this.#path.shadows.get(id)?.events ?? [];
      const got = book.of(id);
      for (let index = before.get(id) ?? 0; index < length; index++) {
        const [ours, theirs] = [wanted[index], got[index]].map((each) => each && { at: each.at, event: each.event });
        if (sameJson(JSON.stringify(ours), JSON.stringify(theirs))) continue;
        return `event ${index + 1} of ${id} is ${JSON.stringify(theirs)}, and was ${JSON.stringify(ours)}`;
      }
    }
    return undefined;
  }

  /** At the end nothing more has happened, and the server was asked for what the kernel demands. */
  async #asked(): Promise<string | undefined> {
    const { book } = this.#ground;
    const { shadows, documents } = this.#path;
    const deployed = new Set(documents.map(({ id }) => id));
    for (const id of this.#mine()) {
      const asked = await this.#settled(id);
      const shadow = shadows.get(id);
      if (shadow === undefined) return `there is an instance '${id}', which was not`;
      const more = book.of(id)[shadow.events.length];
      if (more !== undefined) return `${id} goes on with ${JSON.stringify(more.event)}`;
      if (asked.executions > 1) this.anew++;
      const other = unlike(asked, shadow, { deployed, now: this.#now });
      if (other !== undefined) return `the server was asked otherwise for ${id}: ${other}`;
    }
    return undefined;
  }
}

function told(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? `${error}: ${told(error.cause)}` : String(error);
}
