import type { RecordedEvent } from "@tutti/engine";
import type { ElementId, Key } from "@tutti/kernel";
import { UndoneCalls } from "./undone-calls.ts";

/** One element in the story of an instance. */
export interface Step {
  readonly instanceId: string;
  readonly element: ElementId;
  /** Key of the innermost item of a collection that it belongs to. */
  readonly item: string | null;
  /**
   * `passed`: entered and left at once. `stopped`: ended by something else. `undoing` and `undone`: a call that had
   * ended, as another instance begins and ends undoing what it did.
   */
  readonly type: "started" | "ended" | "stopped" | "passed" | "undoing" | "undone";
  /** Epoch ms. */
  readonly at: number;
}

/** Turns events into steps, and knows which item of a collection an element belongs to. */
export class StepReader {
  /** By instance and element instance; only of what runs for an item. */
  readonly #items: Map<string, string> = new Map();
  readonly #undoing: UndoneCalls = new UndoneCalls();

  read({ event, instanceId, at }: RecordedEvent): Step | undefined {
    const isUndoing = this.#undoing.read(instanceId, event);
    switch (event.type) {
      case "item-activated":
        this.#items.set(`${instanceId}/${event.key}`, event.item);
        return undefined;
      case "element-activating":
        this.#inherit(instanceId, event);
        return undefined;
      case "element-activated":
        this.#inherit(instanceId, event);
        return {
          instanceId,
          element: event.element,
          item: this.item(instanceId, event.key),
          type: isUndoing ? "undoing" : "started",
          at,
        };
      case "element-completed":
      case "element-terminated": {
        const ended = isUndoing ? "undone" : "ended";
        const type = event.type === "element-completed" ? ended : "stopped";
        return { instanceId, element: event.element, item: this.item(instanceId, event.key), type, at };
      }
      case "element-passed":
        return { instanceId, element: event.element, item: this.item(instanceId, event.scope), type: "passed", at };
      default:
        return undefined;
    }
  }

  /** The innermost item that this element instance is, or stands in. */
  item(instanceId: string, key: Key): string | null {
    return this.#items.get(`${instanceId}/${key}`) ?? null;
  }

  #inherit(instanceId: string, { key, scope }: { readonly key: Key; readonly scope: Key }): void {
    const item = this.item(instanceId, scope);
    const own = `${instanceId}/${key}`;
    if (item !== null && !this.#items.has(own)) this.#items.set(own, item);
  }
}

/** `review`, or `review[item]`. */
export function stepName({ element, item }: Pick<Step, "element" | "item">): string {
  return item === null ? element : `${element}[${item}]`;
}
