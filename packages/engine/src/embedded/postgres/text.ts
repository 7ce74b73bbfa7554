import { hash } from "node:crypto";
import type { ChannelName } from "@tutti/kernel";
import { channelId } from "../message/coordination.ts";

/*
 * PostgreSQL keeps no U+0000 in a text; names and keys that come from outside may hold one. It is written as two
 * characters that begin with U+0001, which then needs the same.
 */

/** A value as it is sent; what holds neither of the two characters, as all JSON does, stays as it is. */
export function toStored(text: string): string {
  if (!text.includes("\0") && !text.includes("\u0001")) return text;
  return text.replaceAll("\u0001", "\u0001\u0002").replaceAll("\0", "\u0001\u0001");
}

export function fromStored(text: string): string {
  if (!text.includes("\u0001")) return text;
  return text.replaceAll("\u0001\u0001", "\0").replaceAll("\u0001\u0002", "\u0001");
}

/** A list as PostgreSQL reads one from a text. */
export function arrayLiteral(items: readonly (string | number | boolean | null)[]): string {
  let literal = "{";
  for (let index = 0; index < items.length; index++) {
    if (index > 0) literal += ",";
    const item = items[index];
    if (item === null || item === undefined) literal += "NULL";
    else if (typeof item !== "string") literal += item;
    else literal += `"${item.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  }
  return `${literal}}`;
}

/** A channel in an index, whose entries have a limit that names and keys do not have. */
export function channelDigest(channel: ChannelName): string {
  return hash("sha256", channelId(channel), "base64url");
}
