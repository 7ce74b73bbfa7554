import { hash } from "node:crypto";
import type { Rejection } from "@tutti/kernel";
import { channelId } from "../../embedded/message/coordination.ts";
import { refusalsMax } from "../../embedded/message/refusal.ts";
import type { Change } from "../../embedded/store.ts";
import type { Starter } from "../../embedded/version/programs.ts";
import type { Began, ProcessInput } from "../contract.ts";
import type { StartAsked, Started } from "./contract.ts";
import { type Content, messageIdOf, withReceiver } from "./deliveries.ts";
import type { DeskOptions } from "./desk.ts";

/** Made instance ids that are tried when callers have chosen the same ones. */
const madeIdsMax = 100;

/** Begins instances with messages and signals: each of a process once. */
export class Starts {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  async start(asked: StartAsked, content: Content): Promise<Started> {
    const { cause, process, name, correlationKey } = asked;
    const { definitions, courier } = this.#options;
    const { programs } = definitions;
    await definitions.look();
    for (let made = 0; ; made++) {
      const instanceId = madeId(asked, made);
      const routing = { routingKey: correlationKey ?? instanceId, variables: content.payload };
      const starter = programs.starter(process, { kind: cause, name }, routing);
      if (starter === undefined) return null;
      const input = this.#inputOf({ ...asked, ...content }, starter, instanceId);
      const version = programs.versionOf(starter.named);
      const began = (await courier.begin({ process, version }, input)) ?? (await this.#begunBefore(input));
      if (began.ok) return { instanceId: began.instanceId };
      const { code, reason } = began.rejection;
      if (code === "instance-exists" && made < madeIdsMax) continue;
      await this.#refuse(asked, starter, began.rejection);
      return { refused: reason };
    }
  }

  #inputOf(asked: StartAsked & Content, { named, place }: Starter, instanceId: string): ProcessInput {
    const { cause, process, number, name, correlationKey, payload } = asked;
    const received = withReceiver(asked.receivers, { process, instanceId, started: true });
    const key = correlationKey;
    return {
      ...named,
      requestId: null,
      ...(received.receivers === undefined ? {} : { received: { number, receivers: received.receivers } }),
      startedBy: key === null ? null : channelId({ name, correlationKey: key }),
      askedAt: this.#options.clock.now(),
      create: {
        type: "create-instance",
        instanceId,
        rootId: instanceId,
        variables: {},
        actor: cause,
        ...(key === null ? {} : { businessKey: key }),
        start: { ...place, payload, ...(cause === "message" ? { messageId: messageIdOf(asked) } : {}) },
      },
    };
  }

  /** The id was given to an instance that has ended since: most likely to this very one. */
  async #begunBefore({ create: { instanceId }, startedBy }: ProcessInput): Promise<Began> {
    const { instances } = await this.#options.log.find({ instanceIds: [instanceId], numbers: [], requestIds: [] });
    const record = instances[0]?.record;
    if (record?.requestId === null && record.startedBy === startedBy) return { ok: true, instanceId };
    const reason = `Expected no instance '${instanceId}', but there is one`;
    return { ok: false, rejection: { code: "instance-exists", reason } };
  }

  /** Nobody who could be told waits for it. */
  async #refuse(asked: StartAsked, { named }: Starter, { code, reason }: Rejection): Promise<void> {
    const { cause, process, name, correlationKey, id, number } = asked;
    const { definitions, clock, write } = this.#options;
    const version = definitions.programs.versionOf(named);
    // What is not remembered is not tried again.
    const message = cause === "message" && asked.payload === undefined ? number : null;
    const what = { process, version, cause, name, correlationKey, messageId: id, code, reason, at: clock.now() };
    const changes: Change[] = [
      { type: "refusal-put", refusal: { ...what, message } },
      { type: "refusals-forget", keep: refusalsMax },
    ];
    await write(changes);
  }
}

/** The same for the same, so that whoever begins it again finds what was begun. */
function madeId({ process, cause, name, correlationKey, number }: StartAsked, made: number): string {
  const from = JSON.stringify([made, cause, name, correlationKey, number]);
  return `${process}-${hash("sha256", from, "hex").slice(0, 12)}`;
}
