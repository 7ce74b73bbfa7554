import type { Event, StartTrigger } from "@tutti/kernel";
import type { Store } from "../embedded/store.ts";
import type { Correlated, MessageRequest } from "../port.ts";
import type { Ledger, Shadow } from "./ledger.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

export const messageName = "ping";
/** Begins some of the random programs. */
export const startName = "order";
export const signalName = "alarm";
/** Outlasts every schedule. */
const longMs = 10_000_000_000;

type Named = MessageRequest & { readonly id: string };

/** What is true of messages beside the engine: what was answered, and who has got what according to the log. */
export class Post {
  readonly #ledger: Pick<Ledger, "check" | "byId">;
  readonly #correlationKeys: World["correlationKeys"];
  readonly #answers: Map<string, { readonly request: Named; readonly answer: Correlated }> = new Map();
  readonly #got: Set<string> = new Set();
  readonly #everPaused: Set<string> = new Set();
  #count = 0;

  constructor(ledger: Pick<Ledger, "check" | "byId">, correlationKeys: World["correlationKeys"]) {
    this.#ledger = ledger;
    this.#correlationKeys = correlationKeys;
  }

  /** A message to publish: mostly a new one, now and then one that was published before. */
  next(random: Random): Named {
    const known = [...this.#answers.values()];
    if (known.length > 0 && random.chance(0.15)) return random.pick(known).request;
    this.#count++;
    const correlationKey = random.pick(this.#correlationKeys);
    return {
      id: `m${this.#count}`,
      name: random.pick([messageName, messageName, startName]),
      ...(correlationKey === undefined ? {} : { correlationKey }),
      ttlMs: random.pick([0, 5_000, longMs, longMs]),
      variables: { flag: random.chance(0.5), n: random.below(3) },
    };
  }

  answered(request: Named, answer: Correlated): void {
    const { id } = request;
    const before = this.#answers.get(id);
    if (before === undefined) this.#answers.set(id, { request, answer });
    else this.#ledger.check(answer.duplicate, () => `message ${id} was published twice`);
    for (const { process, instanceId } of answer.instances) {
      const found = this.#ledger.byId.get(instanceId)?.program.document.id;
      this.#ledger.check(
        found === process,
        () => `message ${id} reached '${instanceId}' of ${process}, but it is ${found}`,
      );
    }
  }

  /** Nothing is kept for a process that begins with it; of one whose versions share the new instances some may pass. */
  async #checkBegun(store: Store, now: number): Promise<void> {
    const shared = new Set((await store.rollouts()).map(({ process }) => process));
    const latest = new Map<string, readonly StartTrigger[]>();
    for (const { deployment, starts } of await store.deployments()) {
      for (const { process, hash } of deployment.programs) latest.set(process, starts[hash] ?? []);
    }
    for (const [process, triggers] of latest) {
      for (const trigger of shared.has(process) ? [] : triggers) {
        if (trigger.kind !== "message") continue;
        const { name } = trigger;
        const left = await store.beginning({ process, name, now });
        this.#ledger.check(
          left.length === 0,
          () => `${process} begins with '${name}', and did not: ${JSON.stringify(left)}`,
        );
      }
    }
  }

  /** The fork of a paused instance is paused from its first moment, without an event that says so. */
  forked({ instanceId, state }: Shadow): void {
    if (state.head.status === "paused") this.#everPaused.add(instanceId);
  }

  /** One event of the log. */
  note({ instanceId, program }: Shadow, event: Event): void {
    if (event.type === "instance-paused") this.#everPaused.add(instanceId);
    const id = messageIn(event);
    if (id === undefined) return;
    const name = `${program.document.id} ${id}`;
    this.#ledger.check(!this.#got.has(name), () => `message ${id} reached process ${program.document.id} twice`);
    this.#got.add(name);
  }

  /** Everybody works, nobody is paused, and nothing is under way any more. */
  async checkAtRest(store: Store, now: number): Promise<void> {
    for (const { process, name, correlationKey } of await store.unmatched(now)) {
      this.#ledger.check(false, () => `${process} waits for '${name}' (${correlationKey}) in vain: it is there`);
    }
    await this.#checkBegun(store, now);
    const kept = new Set((await store.listMessages({}, { limit: 1_000_000, now })).rows.map((row) => row.id));
    for (const [id, { request, answer }] of this.#answers) {
      const lost = request.ttlMs === longMs && !kept.has(id);
      this.#ledger.check(!lost, () => `message ${id} was to be kept, and is gone`);
      for (const { process, instanceId } of answer.instances) {
        // What a paused one was given may have gone to another since.
        const arrived = this.#got.has(`${process} ${id}`) || this.#everPaused.has(instanceId);
        this.#ledger.check(arrived, () => `message ${id} was given to '${instanceId}', and never arrived`);
      }
    }
  }
}

function messageIn(event: Event): string | undefined {
  if (event.type === "subscription-triggered") return event.messageId;
  return event.type === "instance-created" ? event.start?.messageId : undefined;
}
