import type { Visit } from "../element/behavior.ts";
import { isInner, start } from "../lifecycle.ts";
import type { Turn } from "../turn.ts";
import { openCollection } from "./collection.ts";
import { openLoop } from "./loop.ts";

/** Starts an element, its loop, or the collection of its items. Also how a retried activation starts. */
export function enter(turn: Turn, visit: Visit): void {
  const { element, scope } = visit;
  const loop = "loop" in element ? element.loop : undefined;
  if (loop === undefined || isInner(turn, element.id, scope)) start(turn, visit);
  else if (loop.mode === "standard") openLoop(turn, visit);
  else openCollection(turn, visit, loop);
}
