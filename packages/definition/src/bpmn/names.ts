/** Ids of a generated file: each is a name as XML wants it, and there once. */
export class Names {
  readonly #names = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** `known`: ids that parts have in a file already; `taken`: all that nothing else may have. */
  constructor(known: ReadonlyMap<string, string> = new Map(), taken: Iterable<string> = []) {
    for (const [key, name] of known) this.#names.set(key, name);
    for (const name of taken) this.#taken.add(name);
  }

  /** The key of a part in `known`. */
  static key(kind: "process" | "element" | "flow", id: string): string {
    return `${kind} ${id}`;
  }

  /** The id in the file of something that has an id of its own. */
  of(kind: "process" | "element" | "flow", id: string): string {
    const key = Names.key(kind, id);
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = this.#free(/^[A-Za-z_]/.test(id) ? safe(id) : `_${safe(id)}`);
    this.#names.set(key, name);
    return name;
  }

  /** An id for something that has none in the program. */
  fresh(kind: string): string {
    return this.#free(`${kind}_1`);
  }

  /** The program's id, where the file's is another. */
  original(id: string, name: string): string | undefined {
    return id === name ? undefined : id;
  }

  #free(wanted: string): string {
    let name = wanted;
    for (let number = 2; this.#taken.has(name); number++) name = `${wanted.replace(/_1$/, "")}_${number}`;
    this.#taken.add(name);
    return name;
  }
}

function safe(id: string): string {
  return id.replaceAll("->", "_to_").replaceAll(/[^A-Za-z0-9_.-]+/g, "_");
}
