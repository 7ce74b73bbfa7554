import { createHash } from "node:crypto";
import type { Json, ProgramDocument } from "@tutti/kernel";

/** JSON with sorted keys and without spaces: equal content gives equal text, whatever the order it was written in. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const entries = Object.entries(value as { readonly [name: string]: Json | undefined });
  const present = entries.filter((entry): entry is [string, Json] => entry[1] !== undefined);
  // Code units, as in RFC 8785: no locale may change a hash.
  present.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${present.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(",")}}`;
}

/**
 * `sha256-<64 hex>` of the program's canonical JSON without `hash`, source text and source positions: moving a line or
 * adding a comment does not make another program, and the builder gives the hash that YAML gives.
 */
export function hashProgram(document: Omit<ProgramDocument, "hash">): string {
  const content: Record<string, Json> = { ...(withoutPositions(document as unknown as Json) as Record<string, Json>) };
  delete content["hash"];
  delete content["source"];
  return `sha256-${createHash("sha256").update(canonicalJson(content)).digest("hex")}`;
}

/** Free data: a `position` in there belongs to the author, not to the compiler. */
const opaque: ReadonlySet<string> = new Set(["literal", "headers", "extension", "form", "initial"]);

export function withoutPositions(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(withoutPositions);
  const kept: Record<string, Json> = {};
  for (const [key, inner] of Object.entries(value as { readonly [name: string]: Json })) {
    if (key === "position") continue;
    kept[key] = opaque.has(key) ? inner : withoutPositions(inner);
  }
  return kept;
}
