import type { Effect } from "@tutti/kernel";

/** Jobs that share it share a limit of their own, besides that of their class. */
export function limitKeyOf({
  headers,
}: Pick<Extract<Effect, { readonly type: "offer-job" }>, "headers">): string | null {
  const key = headers["limitKey"];
  return typeof key === "string" ? key : null;
}
