import type { Problems } from "../problem.ts";

/** The text of an XML file in whatever encoding it declares; undefined, and a problem, when it cannot be read. */
export function decodeXml(source: string | Uint8Array, problems: Problems): string | undefined {
  if (typeof source === "string") return source.startsWith("\uFEFF") ? source.slice(1) : source;
  const declared = encodingOf(source);
  const encoding = aliases[declared.toLowerCase()] ?? declared;
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(source);
  } catch {
    const message = `Expected a file in ${encoding.slice(0, 40)}, but it cannot be read as that`;
    problems.error("xml-invalid", message, { line: 1, column: 1 });
    return undefined;
  }
}

/** Names that Java has for encodings, and the standard of the web has not. */
const aliases: Readonly<Record<string, string>> = {
  macroman: "macintosh",
  cp1250: "windows-1250",
  iso8859_1: "iso-8859-1",
  iso8859_15: "iso-8859-15",
  utf_8: "utf-8",
};

/** By its byte order mark, else by the declaration that must then stand first, in ASCII. */
function encodingOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xfe && second === 0xff) return "utf-16be";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0x3c && second === 0) return "utf-16le";
  if (first === 0 && second === 0x3c) return "utf-16be";
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 200));
  return /^(?:\u00EF\u00BB\u00BF)?<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(head)?.[1] ?? "utf-8";
}
