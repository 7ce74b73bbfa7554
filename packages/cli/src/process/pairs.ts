import { AppError } from "@tutti/kernel";

/** `NAME=VALUE` at its first `=`. Throws `option-invalid` with what the words should be. */
export function pair(text: string, form: string): readonly [name: string, value: string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new AppError("option-invalid", `Expected ${form}, but got '${text.slice(0, 80)}'`);
}
