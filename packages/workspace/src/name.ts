import { createHash } from "node:crypto";

/**
 * A name made safe for a ref or folder. Names that are safe already stay as they are; others keep what is readable
 * and get a digest, so that two different names never meet.
 */
export function safeName(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/.test(name)) return name;
  const readable = name.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+/, "");
  return `${readable.slice(0, 40)}-${digest(name).slice(0, 12)}`;
}

/** SHA-256 in hexadecimal. */
export function digest(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
