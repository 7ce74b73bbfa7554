import type { Element, ElementId } from "@tutti/kernel";

/** Whether a compiler made the element between those of the definition: nobody who wrote that knows its id. */
export function isGenerated(id: ElementId): boolean {
  return /\.(?:fork|merge|start|end)(?:-\d+)?$/.test(id) || /^flow-\d+\.(?:fork|join)-\d+$/.test(id);
}

/** Ends that compilers make, whether or not anything flows there. */
export function isGeneratedEnd(element: Element): boolean {
  return element.kind === "end-event" && element.trigger.type === "none" && /(?:^|\.)end(?:\.event)?$/.test(element.id);
}
