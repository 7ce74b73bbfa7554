import type { Element } from "@tutti/kernel";
import { type Context, tolerate } from "./context.ts";
import { marksCompensation } from "./event.ts";
import type { XmlNode } from "./xml.ts";

/* What the standard forbids of sequence flows and can be run all the same, or not at all. */

/** Why a flow has no effect, or another one than the drawing may suggest; undefined for most. */
function oddityOf(source: Element, target: Element): string | undefined {
  const has = "but there is one";
  if (source.kind === "end-event")
    return `Expected no flow out of the end event ${source.id}, ${has}: it is never taken`;
  if (source.kind === "intermediate-throw-event" && source.trigger.type === "link")
    return `Expected no flow out of the link event ${source.id}, ${has}: it is never taken`;
  if (target.kind === "intermediate-catch-event" && target.trigger.type === "link")
    return `Expected no flow into the link event ${target.id}, ${has}: a token that comes by it passes`;
  const begins = "instantiate" in target && target.instantiate !== undefined;
  if (begins)
    return `Expected no flow into ${target.id}, which begins the process, ${has}: a token that comes by it waits there`;
  return undefined;
}

export function warnOfFlow(
  context: Context,
  node: XmlNode,
  ends: { readonly source: Element; readonly target: Element },
): void {
  const oddity = oddityOf(ends.source, ends.target);
  if (oddity !== undefined) context.file.warn("bpmn-invalid", oddity, node);
}

/** A flow with an end that is no element of this process: one that could not be compiled was reported there. */
export function reportLooseFlow(
  context: Context,
  node: XmlNode,
  ends: { readonly from: XmlNode; readonly to: XmlNode },
): void {
  const { file, inside } = context;
  const { from, to } = ends;
  const id = file.idOf(node);
  if (marksCompensation(context, from)) {
    const message = `Expected no flow out of the compensation event ${file.idOf(from)}, but ${id} leads out of it: it is never taken`;
    file.warn("bpmn-invalid", message, node);
  } else if (!inside.has(from) || !inside.has(to)) {
    const fault = `Expected a flow within one process, but ${id} leads from ${file.idOf(from)} to ${file.idOf(to)} in another one`;
    tolerate(context, node, { code: "target-other-scope", fault, here: "the flow is left out" });
  }
}
