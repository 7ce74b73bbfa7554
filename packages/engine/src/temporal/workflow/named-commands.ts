import { ApplicationFailure } from "@temporalio/workflow";
import { type InstanceView, isJsonObject, type Json, type JsonObject, must } from "@tutti/kernel";
import type { InstanceCommand } from "../../port.ts";
import type { MigrateOrder } from "../contract.ts";

/*
 * What a person says to an instance by name, with Temporal's own tools: each as a signal, and as an update, which has an
 * answer. An argument is one JSON object. What is wrong with it is said before the history has it; what is not there,
 * or not allowed, is a refusal like any of the kernel's.
 */

type Kind = "text" | "count" | "flag" | "texts" | "object" | "json" | "task" | "limit";
export type Given = { readonly [field: string]: Json };

/** The argument of a command. `actor` may stand beside each field. */
export interface Taking {
  readonly takes: { readonly [field: string]: Kind };
  readonly needs?: readonly string[];
  /** The field that an argument is which is no object. */
  readonly alone?: string;
}

interface NamedCommand extends Taking {
  /** Throws an ApplicationFailure for what it does not find. */
  readonly asks: (given: Given, view: InstanceView) => readonly InstanceCommand[];
}

/** Who did it, as far as anybody knows. */
const byDefault = { actor: "temporal", reason: "Asked for by name, with Temporal's tools." } as const;

const kinds: { readonly [K in Kind]: { readonly words: string; readonly has: (value: Json) => boolean } } = {
  text: { words: "text", has: (value) => typeof value === "string" && value.length > 0 },
  count: { words: "a whole number from 0", has: (value) => isWhole(value, 0) },
  flag: { words: "true or false", has: (value) => typeof value === "boolean" },
  texts: {
    words: "a list of texts",
    has: (value) => Array.isArray(value) && value.every((each) => typeof each === "string"),
  },
  object: { words: "an object", has: isJsonObject },
  json: { words: "a value", has: () => true },
  task: { words: "the key or the element of a task", has: (value) => typeof value === "string" || isWhole(value, 1) },
  limit: { words: "a whole number from 1, or null for none", has: (value) => value === null || isWhole(value, 1) },
};

function isWhole(value: Json, least: number): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least;
}

const by = ({ actor = byDefault.actor }: Given): { readonly actor: string } => ({ actor: actor as string });
const why = (given: Given): { readonly actor: string; readonly reason: string } => ({
  ...by(given),
  reason: (given["reason"] ?? byDefault.reason) as string,
});

const pause: NamedCommand = {
  takes: { stopRunning: "flag", reason: "text" },
  asks: (given) => [{ type: "pause-instance", stopRunning: given["stopRunning"] === true, ...why(given) }],
};
const resume: NamedCommand = { takes: {}, asks: (given) => [{ type: "resume-instance", ...by(given) }] };
const cancel: NamedCommand = {
  takes: { reason: "text", undo: "flag" },
  asks: (given) => [{ type: "cancel-instance", ...why(given), ...(given["undo"] === true ? { undo: true } : {}) }],
};

const decide = (approved: boolean): NamedCommand => ({
  takes: { task: "task", note: "text" },
  alone: "task",
  asks: (given, view) => {
    const { note } = given;
    const result = { approved, ...(note === undefined ? {} : { note }) };
    return [{ type: "complete-task", key: taskOf(given, view), result, ...by(given) }];
  },
});

/** By the names that people know. */
export const namedCommands: { readonly [name: string]: NamedCommand } = {
  ...{ pause, resume, cancel },
  ...{ pause_orchestration: pause, resume_orchestration: resume, cancel_orchestration: cancel },
  retry_failed_agents: { takes: { ids: "texts", reason: "text" }, alone: "ids", asks: retryFailed },
  adjust_concurrency: {
    takes: { limit: "limit", element: "text" },
    needs: ["limit"],
    alone: "limit",
    asks: (given, view) => {
      const maxParallel = given["limit"] as number | null;
      return [{ type: "adjust-concurrency", element: collectionOf(given, view), maxParallel, ...by(given) }];
    },
  },
  complete_task: {
    takes: { task: "task", result: "object", rationale: "text" },
    alone: "task",
    asks: (given, view) => {
      const { result = {}, rationale } = given;
      const said = rationale === undefined ? {} : { rationale: rationale as string };
      const key = taskOf(given, view);
      return [{ type: "complete-task", key, result: result as JsonObject, ...said, ...by(given) }];
    },
  },
  claim_task: {
    takes: { task: "task" },
    needs: ["actor"],
    asks: (given, view) => [{ type: "claim-task", key: taskOf(given, view), ...by(given) }],
  },
  delegate_task: {
    takes: { task: "task", to: "text", reason: "text" },
    needs: ["to"],
    asks: (given, view) => [
      { type: "delegate-task", key: taskOf(given, view), to: given["to"] as string, ...why(given) },
    ],
  },
  escalate_task: {
    takes: { task: "task", to: "texts", code: "text", reason: "text" },
    asks: (given, view) => {
      const { to, code } = given;
      const upwards = {
        ...(to === undefined ? {} : { to: to as readonly string[] }),
        ...(code === undefined ? {} : { code: code as string }),
      };
      return [{ type: "escalate-task", key: taskOf(given, view), ...upwards, ...why(given) }];
    },
  },
  approve: decide(true),
  deny: decide(false),
  set_variable: {
    takes: { name: "text", value: "json", expectedVersion: "count", reason: "text" },
    needs: ["name", "value"],
    asks: (given) => {
      const name = given["name"] as string;
      const version = given["expectedVersion"];
      const expected = version === undefined ? {} : { expectedVersions: { [name]: version as number } };
      const values = { [name]: given["value"] as Json };
      return [{ type: "set-variables", scope: 0, values, ...expected, ...why(given) }];
    },
  },
};

/** What `migrate_instance` takes: only the log knows which program that is. */
export const migrationNamed: Taking = {
  takes: { process: "text", version: "text", mapping: "object", reason: "text" },
  needs: ["version"],
};

export function migrationIn(given: Given, { process }: InstanceView): Omit<MigrateOrder, "hash" | "deployment"> {
  const mapping = (given["mapping"] ?? {}) as JsonObject;
  for (const [element, to] of Object.entries(mapping)) {
    if (typeof to !== "string")
      throw refusal("argument-invalid", `Expected 'mapping' to say what '${element}' becomes`);
  }
  const named = { process: (given["process"] ?? process) as string, mapping: mapping as MigrateOrder["mapping"] };
  return { type: "migrate-instance", ...named, ...why(given) };
}

/** Checked, as an object. Throws an ApplicationFailure that says what was expected, and what came. */
export function givenTo({ takes, needs = [], alone }: Taking, asked: unknown): Given {
  const value = (asked ?? {}) as Json;
  const given = isJsonObject(value) ? value : alone === undefined ? undefined : { [alone]: value };
  const allowed: Taking["takes"] = { ...takes, actor: "text" };
  const fields = Object.keys(allowed);
  if (given === undefined)
    throw refusal("argument-invalid", `Expected an object with ${fields.join(", ")}, but it is none`);
  for (const [field, each] of Object.entries(given)) {
    const kind = Object.hasOwn(allowed, field) ? allowed[field] : undefined;
    if (kind === undefined) throw refusal("argument-invalid", `Expected ${fields.join(", ")}, but got '${field}'`);
    const { words, has } = kinds[kind];
    if (!has(each)) throw refusal("argument-invalid", `Expected '${field}' as ${words}, but it is ${typeName(each)}`);
  }
  for (const field of needs) {
    if (!Object.hasOwn(given, field)) throw refusal("argument-invalid", `Expected '${field}', but it is missing`);
  }
  return given;
}

/** Never the value: what is said of an update is not encrypted. */
function typeName(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

export function refusal(code: string, reason: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(reason, code);
}

/** The one that is named, or else the only one. */
function taskOf(given: Given, { waiting }: InstanceView): number {
  const task = given["task"];
  const tasks = waiting.flatMap(({ on, key, element }) => (on === "task" && key !== null ? [{ key, element }] : []));
  const meant = task === undefined ? tasks : tasks.filter(({ key, element }) => key === task || element === task);
  if (meant.length === 1) return must(meant[0], "there is one").key;
  const open = tasks.map(({ key, element }) => `${key} (${element})`).join(", ") || "none";
  throw refusal("task-not-found", `Expected one task to be meant, but ${meant.length} are; open: ${open}`);
}

function collectionOf(given: Given, { collections }: InstanceView): string {
  const element = given["element"];
  if (element !== undefined) return element as string;
  if (collections.length === 1) return must(collections[0], "there is one").element;
  throw refusal("collection-not-found", `Expected 'element' to name one of ${collections.length} collections`);
}

/** All that waits for a person; of named items only they. */
function retryFailed(given: Given, { incidents, collections, elements }: InstanceView): InstanceCommand[] {
  const retry = { type: "resolve-incident", action: "retry", ...why(given) } as const;
  const ids = given["ids"] as readonly string[] | undefined;
  if (ids === undefined) {
    if (incidents.length > 0) return incidents.map(({ key }) => ({ ...retry, key }));
    throw refusal("incident-not-found", "Expected something that failed, but there is nothing");
  }
  const left = new Set(ids);
  const commands = incidents.flatMap(({ key, owner, kind }): InstanceCommand[] => {
    const { items: of = [] } = collections.find(({ body }) => body === owner) ?? {};
    const failed = of.flatMap((item) => (item.status === "failed" && left.has(item.key) ? [item.key] : []));
    // Or it has not failed for good: something in it waits for a person.
    const item = elements.find((element) => element.key === owner)?.item ?? "";
    for (const each of [...failed, item]) if (ids.includes(each)) left.delete(each);
    if (kind === "items-failed") return failed.length === 0 ? [] : [{ ...retry, key, items: failed }];
    return ids.includes(item) ? [{ ...retry, key }] : [];
  });
  if (left.size === 0 && commands.length > 0) return commands;
  throw refusal("item-unknown", `Expected items that wait for a person, but ${[...left].join(", ")} do not`);
}
