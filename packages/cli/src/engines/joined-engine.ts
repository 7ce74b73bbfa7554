import {
  type AdoptOptions,
  adoptInstance,
  type Correlated,
  type Engine,
  type MovedInstance,
  moveInstance,
  releaseInstance,
} from "@tutti/engine";
import { AppError, must } from "@tutti/kernel";
import { codeOf } from "../problem.ts";
import { isNowhere, JoinedReader, type Side } from "./joined-reader.ts";
import type { MovesUnderWay } from "./moves-under-way.ts";
import type { EngineName } from "./place.ts";

export interface EngineSide extends Side {
  /** Rejects while it cannot be had. */
  engine(): Promise<Engine>;
}

interface ReleaseOrder {
  readonly stopRunning: boolean;
  readonly actor: string;
}

interface MoveOrder extends ReleaseOrder, AdoptOptions {
  readonly to: EngineName;
}

/** The engines of a house as those meet them who neither work for them nor close them. */
export interface HouseEngine extends Omit<Engine, "work" | "close" | "release" | "adopt"> {
  /**
   * The named engine goes on with an instance; false when it has it already. May be repeated after a crash. Rejects with
   * `move-refused`.
   */
  move(instanceId: string, order: MoveOrder): Promise<boolean>;
  /** Gives it up, wherever it is, paused for that if it runs. Rejects with `move-refused`. */
  release(instanceId: string, order: ReleaseOrder): Promise<MovedInstance>;
  /** Goes on with what another house gave up, or this one. Rejects with `move-refused`. */
  adopt(moved: MovedInstance, by: AdoptOptions): Promise<void>;
}

/**
 * The engines of an installation as one. What is new begins on the first of the sides; what is about an instance goes to
 * the engine that has it, whichever is the first now.
 */
export class JoinedEngine extends JoinedReader<EngineSide> implements HouseEngine {
  readonly #moves: MovesUnderWay;

  /** `moves` is of all that join the same sides. */
  constructor(sides: readonly EngineSide[], moves: MovesUnderWay) {
    super(sides);
    this.#moves = moves;
  }

  /** One that moves is nowhere for a moment, and paused before: whoever asks for it waits until it is somewhere. */
  override async find(instanceId: string): ReturnType<JoinedReader<EngineSide>["find"]> {
    await this.#moves.over(instanceId);
    return super.find(instanceId);
  }

  async deploy(...asked: Parameters<Engine["deploy"]>): ReturnType<Engine["deploy"]> {
    return (await this.#first()).deploy(...asked);
  }

  async rollout(...asked: Parameters<Engine["rollout"]>): ReturnType<Engine["rollout"]> {
    return (await this.#first()).rollout(...asked);
  }

  /** A request that one engine has answered is that engine's: asking again after the first has changed starts once. */
  async start(request: Parameters<Engine["start"]>[0]): Promise<string> {
    const { instanceId } = request;
    const earlier = instanceId === undefined ? undefined : await this.#having(instanceId);
    if (earlier !== undefined) return earlier.start(request);
    try {
      return await (await this.#first()).start(request);
    } catch (error) {
      throw (await this.#elsewhere(error, request.process)) ?? error;
    }
  }

  /** Kept for those to come by the first; the others give it to who waits with them. */
  async publish(message: Parameters<Engine["publish"]>[0]): Promise<Correlated> {
    const { ttlMs: _, ...now } = message;
    const correlated = await (await this.#first()).publish(message);
    const others = await this.#eachWaitedFor(message.name, (engine) => engine.publish(now));
    return { ...correlated, instances: [correlated, ...others].flatMap(({ instances }) => instances) };
  }

  async broadcast(signal: Parameters<Engine["broadcast"]>[0]): Promise<void> {
    await (await this.#first()).broadcast(signal);
    await this.#eachWaitedFor(signal.name, (engine) => engine.broadcast(signal));
  }

  async command(...asked: Parameters<Engine["command"]>): ReturnType<Engine["command"]> {
    return (await this.#owner(asked[0])).command(...asked);
  }

  async migrate(...asked: Parameters<Engine["migrate"]>): ReturnType<Engine["migrate"]> {
    return (await this.#owner(asked[0])).migrate(...asked);
  }

  async fork(request: Parameters<Engine["fork"]>[0]): Promise<string> {
    return (await this.#owner(request.instanceId)).fork(request);
  }

  async move(instanceId: string, { to, ...order }: MoveOrder): Promise<boolean> {
    const target = must(
      this.sides.find(({ name }) => name === to),
      "a house has every engine",
    );
    const from = (): Promise<readonly Engine[]> => enginesOf(this.sides.filter((side) => side !== target));
    return this.#moves.move(instanceId, async () => {
      const { moved } = await moveInstance({ ...order, instanceId, to: await target.engine(), from });
      return moved;
    });
  }

  async release(instanceId: string, order: ReleaseOrder): Promise<MovedInstance> {
    return this.#moves.move(instanceId, async () => {
      const here = await unlessNowhere(super.find(instanceId));
      const from = here === undefined ? await enginesOf(this.sides) : [await here.engine()];
      return releaseInstance({ ...order, instanceId, from });
    });
  }

  async adopt(moved: MovedInstance, by: AdoptOptions): Promise<void> {
    const { instanceId } = moved;
    const first = await this.#first();
    const here = await unlessNowhere(this.find(instanceId));
    if (here !== undefined && (await here.engine()) !== first) {
      throw new AppError("move-refused", `Expected no instance '${instanceId}' here, but ${here.name} has one`);
    }
    await adoptInstance(first, moved, by);
  }

  async adjustQueue(...asked: Parameters<Engine["adjustQueue"]>): Promise<void> {
    for (const side of this.sides)
      if ((await side.read()) !== undefined) await (await side.engine()).adjustQueue(...asked);
  }

  /** Each engine has its own deployments: who meets one without the process is told which other has it. */
  async #elsewhere(error: unknown, process: string): Promise<AppError | undefined> {
    if (codeOf(error) !== "program-not-found") return undefined;
    const [first, ...others] = this.sides;
    for (const side of others) {
      const found = await (await side.read())?.query("versions", { process }, { limit: 1 });
      if (found === undefined || found.rows.length === 0) continue;
      return new AppError(
        "program-not-found",
        `Expected '${process}' deployed on the engine ${first?.name}, but it is on ${side.name} alone: deploy it with --engine ${first?.name}`,
      );
    }
    return undefined;
  }

  async #first(): Promise<Engine> {
    const [first] = this.sides as readonly [EngineSide];
    return first.engine();
  }

  async #owner(instanceId: string): Promise<Engine> {
    return (await this.find(instanceId)).side.engine();
  }

  async #having(instanceId: string): Promise<Engine | undefined> {
    return (await unlessNowhere(this.find(instanceId)))?.engine();
  }

  /** Of the engines beside the first, those where somebody waits for it. */
  async #eachWaitedFor<T>(name: string, tell: (engine: Engine) => Promise<T>): Promise<readonly T[]> {
    const told: T[] = [];
    for (const side of this.sides.slice(1)) {
      const reader = await side.read();
      const waiting = await reader?.query("subscriptions", { name }, { limit: 1 });
      if (waiting !== undefined && waiting.rows.length > 0) told.push(await tell(await side.engine()));
    }
    return told;
  }
}

async function unlessNowhere(found: Promise<{ readonly side: EngineSide }>): Promise<EngineSide | undefined> {
  try {
    return (await found).side;
  } catch (error) {
    if (isNowhere(error)) return undefined;
    throw error;
  }
}

/** Of those sides where anything has ever run. */
async function enginesOf(sides: readonly EngineSide[]): Promise<readonly Engine[]> {
  const engines: Engine[] = [];
  for (const side of sides) if ((await side.read()) !== undefined) engines.push(await side.engine());
  return engines;
}
