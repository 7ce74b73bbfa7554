import { AppError } from "@tutti/kernel";

/** Cursors are numbers joined by dots. They come back from strangers, so they are checked. */
export function parseCursor(text: string, parts: number): number[] {
  const numbers = text.split(".").map(Number);
  if (numbers.length !== parts || !numbers.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new AppError("cursor-invalid", `Expected a cursor given by the page before, but got '${text.slice(0, 80)}'.`);
  }
  return numbers;
}
