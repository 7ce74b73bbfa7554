import type { EngineReader, QueueRow, Views } from "@tutti/engine";
import { AppError, type InstanceView } from "@tutti/kernel";
import { codeOf, detailsOf } from "../problem.ts";
import type { EngineName } from "./place.ts";

/** The reading half of an engine. */
export type Reader = Pick<EngineReader, "instance" | "query" | "history">;

/** One of the engines of an installation, as far as it can be read at this moment. */
export interface Side<R extends Reader = Reader> {
  readonly name: EngineName;
  /** Undefined when nothing has ever run there. */
  read(): Promise<R | undefined>;
}

/** Whether an instance is on no engine of the house: it never was, or it was given up. */
export function isNowhere(error: unknown): boolean {
  const code = codeOf(error);
  return code === "instance-not-found" || code === "instance-given-up";
}

/** Each engine counts what was deployed to it, so these are lists of one engine and not of both. */
const ofOneEngine: ReadonlySet<keyof Views> = new Set(["versions", "rollouts"]);
const limitDefault = 100;

/** All engines of an installation as one reader. The first of the sides is the one that is meant where only one can be. */
export class JoinedReader<S extends Side> implements Reader {
  readonly #sides: readonly S[];

  constructor(sides: readonly S[]) {
    this.#sides = sides;
  }

  get sides(): readonly S[] {
    return this.#sides;
  }

  async instance(instanceId: string): Promise<InstanceView> {
    return (await this.find(instanceId)).view;
  }

  /** Who has an instance. Rejects with `instance-not-found` and `instance-given-up`. */
  async find(instanceId: string): Promise<{ readonly side: S; readonly reader: Reader; readonly view: InstanceView }> {
    let moved = false;
    for (const { side, reader } of await this.#readers()) {
      try {
        return { side, reader, view: await reader.instance(instanceId) };
      } catch (error) {
        if (codeOf(error) !== "instance-not-found") throw error;
        moved ||= detailsOf(error)["moved"] === true;
      }
    }
    if (moved)
      throw new AppError("instance-given-up", `Expected '${instanceId}' on an engine here, but it was given up.`);
    throw new AppError("instance-not-found", `Expected an instance '${instanceId}', but there is none.`);
  }

  /** One engine's rows after the other's; a cursor names the engine. */
  async query<V extends keyof Views>(
    view: V,
    filter?: Views[V]["filter"],
    page: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<{ readonly rows: readonly Views[V]["row"][]; readonly next?: string }> {
    const readers = await this.#readers();
    const asked = ofOneEngine.has(view) ? readers.slice(0, 1) : readers;
    if (view === "queues") return { rows: (await queues(readers)) as readonly Views[V]["row"][] };
    const [name, ...rest] = page.after?.split(":") ?? [];
    let from = rest.join(":");
    const { limit = limitDefault } = page;
    const rows: Views[V]["row"][] = [];
    let begun = name === undefined;
    for (const { side, reader } of asked) {
      begun ||= side.name === name;
      if (!begun) continue;
      if (rows.length >= limit) return { rows, next: `${side.name}:` };
      const found = await reader.query(view, filter, {
        limit: limit - rows.length,
        ...(from === "" ? {} : { after: from }),
      });
      rows.push(...found.rows);
      if (found.next !== undefined) return { rows, next: `${side.name}:${found.next}` };
      from = "";
    }
    return { rows };
  }

  /** Of one instance, or of one and all it called: positions are those of the engine that has it. */
  async *history(request: Parameters<Reader["history"]>[0] = {}): ReturnType<Reader["history"]> {
    const id = request.rootId ?? request.instanceId;
    if (id === undefined) throw new AppError("request-invalid", "Expected the id of an instance, but there is none");
    const { reader } = await this.find(id);
    yield* reader.history(request);
  }

  async #readers(): Promise<readonly { readonly side: S; readonly reader: Reader }[]> {
    const found: { readonly side: S; readonly reader: Reader }[] = [];
    for (const side of this.#sides) {
      const reader = await side.read();
      if (reader !== undefined) found.push({ side, reader });
    }
    return found;
  }
}

/** Slots as the first has them: they are adjusted everywhere. */
async function queues(readers: readonly { readonly reader: Reader }[]): Promise<readonly QueueRow[]> {
  const lists = await Promise.all(readers.map(({ reader }) => reader.query("queues")));
  const [first, ...others] = lists.map(({ rows }) => rows);
  const all = others.flat();
  return (first ?? []).map((row) => {
    const same = all.filter(({ queue }) => queue === row.queue);
    const sum = (of: (each: QueueRow) => number): number => same.reduce((total, each) => total + of(each), of(row));
    return { ...row, running: sum(({ running }) => running), waiting: sum(({ waiting }) => waiting) };
  });
}
