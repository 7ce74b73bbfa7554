import type { Json } from "@tutti/kernel";
import type { z } from "zod";
import type { Head } from "../draft.ts";
import { canonicalJson } from "../hash.ts";
import { elementSchema, flowSchema, headSchema } from "../schema/program.ts";
import { reportIssues } from "../schema-problem.ts";
import { activities } from "./activity.ts";
import type { Context } from "./context.ts";
import { attribute, type BpmnFile, extensions } from "./file.ts";
import type { XmlNode } from "./xml.ts";

/** One difference between two values: what stands at a path (RFC 6901) of the second; absent when nothing does. */
export interface Change {
  readonly path: string;
  readonly value?: Json;
}

type Fields = { readonly [name: string]: Json | undefined };

function isObject(value: Json | undefined): value is Fields & Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What makes the second value of the first. Lists, and objects without a field in common, are exchanged as a whole. */
export function changesBetween(before: Json | undefined, after: Json | undefined, path = ""): Change[] {
  if (after === undefined) return before === undefined ? [] : [{ path }];
  if (before !== undefined && canonicalJson(before) === canonicalJson(after)) return [];
  if (!isObject(before) || !isObject(after)) return [{ path, value: after }];
  const [from, to]: [Fields, Fields] = [before, after];
  if (!Object.keys(from).some((key) => Object.hasOwn(to, key))) return [{ path, value: after }];
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  const step = (key: string) => `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return keys.flatMap((key) => changesBetween(from[key], to[key], step(key)));
}

/** The value with the changes in it; a path through something that is not there makes it. */
function withChanges(value: Json, changes: readonly Change[]): Json {
  const copy = structuredClone(value);
  for (const change of changes) {
    const steps = change.path
      .split("/")
      .slice(1)
      .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = steps.pop();
    if (last === undefined) continue;
    let at = copy as Record<string, Json>;
    for (const step of steps) {
      const inner = Object.hasOwn(at, step) ? at[step] : undefined;
      const next: Record<string, Json> = isObject(inner) ? (inner as Record<string, Json>) : {};
      set(at, step, next);
      at = next;
    }
    if (change.value === undefined) delete at[last];
    else set(at, last, change.value);
  }
  return copy;
}

/** Plain assignment to `__proto__` would set no field. */
function set(object: Record<string, Json>, key: string, value: Json): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Fields that the drawing says, so that no change may contradict it. */
const drawn = /^\/(?:id|kind|parent|from|to|attachedTo|position)(?:\/|$)|^$/;

/** The changes that an element carries in our namespace. One that cannot be read is reported. */
function changesIn(file: BpmnFile, node: XmlNode): Change[] {
  const found = [...extensions(node, "tutti:set"), ...extensions(node, "tutti:remove")];
  return found.flatMap((change) => {
    const path = attribute(change, "path") ?? "";
    if (drawn.test(path) || !path.startsWith("/")) {
      file.report(
        "bpmn-invalid",
        `Expected the path of a field that is not drawn, but found ${JSON.stringify(path.slice(0, 80))}`,
        change,
      );
      return [];
    }
    if (change.name === "tutti:remove") return { path };
    try {
      return { path, value: JSON.parse(change.text) as Json };
    } catch {
      file.report("bpmn-invalid", "Expected JSON, but the text is none", change);
      return [];
    }
  });
}

/**
 * A part with its changes. Whatever they say, what comes out is whole: with a field missing, or of another kind than the
 * kernel takes, the part stays as it was drawn and the fault is reported.
 */
function changed<T>(file: BpmnFile, node: XmlNode, at: { readonly part: T; readonly schema: z.ZodType }): T {
  const changes = changesIn(file, node);
  if (changes.length === 0) return at.part;
  const value = withChanges(at.part as Json, changes);
  const parsed = at.schema.safeParse(value);
  if (parsed.success) return value as T;
  reportIssues(parsed.error.issues, { value, problems: file.problems, place: () => node.position });
  return at.part;
}

/** Gives every element and flow what BPMN has no words for. */
export function applyPatches(context: Context, container: XmlNode): void {
  const { file, draft } = context;
  for (const node of container.children) {
    if (node.name in activities) applyPatches(context, node);
    const id = file.idOf(node);
    const element = draft.get(id);
    const flow = node.name === "bpmn:sequenceFlow" ? draft.getFlow(id) : undefined;
    if (flow !== undefined) draft.putFlow(changed(file, node, { part: flow, schema: flowSchema }));
    else if (element !== undefined) draft.amend(changed(file, node, { part: element, schema: elementSchema }));
  }
}

/** The same for the process itself, and for the order of what it contains, which BPMN does not keep. */
export function applyHeadPatch(context: Context, process: XmlNode, head: Head): Head {
  const part: Head & Order = head;
  const { elementOrder, flowOrder, ...rest } = changed(context.file, process, { part, schema: headSchema });
  context.draft.reorder(elementOrder ?? [], flowOrder ?? []);
  return rest;
}

interface Order {
  readonly elementOrder?: readonly string[];
  readonly flowOrder?: readonly string[];
}
