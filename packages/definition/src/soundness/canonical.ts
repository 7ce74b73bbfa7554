import { createHash } from "node:crypto";
import type { JsonObject, Key, State, Undoing } from "@tutti/kernel";

type Row = { readonly [field: string]: unknown };

interface Snapshot {
  readonly head: State["head"];
  readonly tables: Record<string, [string | number, unknown][]>;
}

/** One state as a tree: what runs in what, and what belongs to each of them, without keys, times and data. */
interface Node {
  readonly element: string;
  readonly parent: Key | null;
  /** Facts about it, in no order. */
  readonly facts: string[];
  readonly children: Key[];
}

/** Tables that only data, or only what other tables say as well, stands in. */
const ignoredTables: ReadonlySet<string> = new Set([
  "elements",
  "variables",
  "itemOf",
  "lockHolders",
  "lockPredecessors",
  "adHocResults",
]);

/** What two states that go on alike may differ in: who they are called, when something happened, and data. */
const noise: ReadonlySet<string> = new Set(
  (
    "key,owner,scope,body,at,due,value,remaining,trigger,version,author,since,startedAt,endedAt,attempt,failures,retryAt," +
    "predecessors,result,error,input,childId,messageId,payload,form,title,candidates,headers,dueAt,followUpAt,priority," +
    "queue,variables,definition,index,instanceKey,itemName,indexes,running,targets,holds,activated,ended"
  ).split(","),
);

export interface Canonical {
  /** Equal for states that go on alike. A digest: the text of a large state is long, and all are kept. */
  readonly text: string;
  readonly tokens: Tokens;
}

/** How many of each there are: element instances by where they run, and tokens that wait at joins or are held back. */
export interface Tokens {
  readonly counts: ReadonlyMap<string, number>;
  readonly total: number;
}

/** Reads a state through its snapshot, so that a table that is added later is not forgotten. */
export function canonical(snapshot: JsonObject): Canonical {
  const { tables, head } = snapshot as unknown as Snapshot;
  const nodes = treeOf(tables["elements"] ?? []);
  const tokens = new Map<string, number>();
  for (const key of nodes.keys()) if (key !== 0) count(tokens, pathOf(nodes, key), 1);
  // What a command left for the next one is about to happen, whatever else there is.
  if (head.continuing) count(tokens, "continuing", 1);
  for (const [table, rows] of Object.entries(tables)) {
    if (ignoredTables.has(table)) continue;
    for (const [key, row] of rows) {
      const home = homeOf(key, row);
      const fact = `${table} ${describe(table, row, tables)} ${typeof key === "string" ? key.slice(key.indexOf("/") + 1) : ""}`;
      (nodes.get(home) ?? nodes.get(0))?.facts.push(table === "items" ? fact.replace(/ \S*$/, "") : fact);
      if (table === "waitingFlows") count(tokens, `${pathOf(nodes, home)} ${fact}`, Number(row));
      if (table === "heldFlows") {
        const { flow, count: held } = row as { readonly flow: string; readonly count: number };
        count(tokens, `${pathOf(nodes, home)} held ${flow}`, held);
      }
    }
  }
  const total = [...tokens.values()].reduce((sum, each) => sum + each, 0);
  const text = `${head.status} ${head.continuing} ${leftToUndo(head)} ${textOf(nodes, 0)}`;
  return { text: createHash("sha256").update(text).digest("base64"), tokens: { counts: tokens, total } };
}

/** What a caller can have undone of an instance that completed; what an error undoes is not looked at. */
export function undoableOf({ undoable }: State["head"]): Undoing | undefined {
  return undoable === undefined || undoable.work === null || undoable.work.failed ? undefined : undoable;
}

/** Each activity once, as that it can be undone at all is what matters. */
function leftToUndo(head: State["head"]): string {
  const records = undoableOf(head)?.work.records ?? [];
  const elements = new Map(records.map(({ key, element }) => [key, element]));
  const each = records.map(({ element, handler, scope }) => `${elements.get(scope) ?? ""}/${element}/${handler ?? ""}`);
  return [...new Set(each)].sort().join();
}

function count(tokens: Map<string, number>, name: string, by: number): void {
  tokens.set(name, (tokens.get(name) ?? 0) + by);
}

function treeOf(rows: readonly [string | number, unknown][]): Map<Key, Node> {
  const nodes = new Map<Key, Node>([[0, { element: "", parent: null, facts: [], children: [] }]]);
  for (const [key, row] of rows as [number, Row][]) {
    nodes.set(key, {
      element: `${row["element"]} ${row["state"]}`,
      parent: row["scope"] as Key,
      facts: [],
      children: [],
    });
  }
  for (const [key, node] of nodes) if (node.parent !== null) nodes.get(node.parent)?.children.push(key);
  return nodes;
}

/** The element instance that a record belongs to. */
function homeOf(key: string | number, row: unknown): Key {
  if (typeof key === "string") return Number(key.slice(0, key.indexOf("/")));
  if (typeof row !== "object" || row === null) return key;
  const { owner, scope, body } = row as Row;
  // The owner of a task is a person.
  return ((typeof owner === "string" ? undefined : owner) ?? scope ?? body ?? key) as Key;
}

function describe(table: string, row: unknown, tables: Record<string, [string | number, unknown][]>): string {
  if (typeof row !== "object" || row === null) return JSON.stringify(row);
  const kept = Object.entries(row as JsonObject).filter(([name]) => !noise.has(name));
  if (table === "compensationRuns") kept.push(["left", targetsOf(row as Row, tables) as never]);
  return JSON.stringify(kept);
}

/** What a compensation still has to undo, by the elements rather than by their keys. */
function targetsOf(run: Row, tables: Record<string, [string | number, unknown][]>): unknown[] {
  const elements = new Map((tables["compensations"] ?? []).map(([key, row]) => [key, (row as Row)["element"]]));
  const running = run["running"] as { readonly target: Key } | null;
  return [...(run["targets"] as Key[]), ...(running === null ? [] : [running.target])].map(
    (key) => elements.get(key) ?? null,
  );
}

function pathOf(nodes: ReadonlyMap<Key, Node>, key: Key): string {
  const names: string[] = [];
  for (let node = nodes.get(key); node !== undefined && node.parent !== null; node = nodes.get(node.parent)) {
    names.unshift(node.element.split(" ")[0] ?? "");
  }
  return names.join("/");
}

function textOf(nodes: ReadonlyMap<Key, Node>, key: Key): string {
  const node = nodes.get(key);
  if (node === undefined) return "";
  // What was completed twice is undone twice; that it can be undone at all is what matters here.
  const facts = [...new Set(node.facts.filter((fact) => fact.startsWith("compensations ")))];
  const rest = node.facts.filter((fact) => !fact.startsWith("compensations "));
  const inside = node.children.map((child) => textOf(nodes, child)).sort();
  return `(${node.element}|${[...facts, ...rest].sort().join(";")}|${inside.join("")})`;
}
