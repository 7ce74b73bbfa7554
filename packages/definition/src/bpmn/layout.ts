import { node, type OutNode } from "./write.ts";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Sized {
  readonly node: OutNode;
  readonly width: number;
  readonly height: number;
  /** What a sub-process contains, from its own corner. */
  readonly inside: ReadonlyMap<string, Box>;
}

const gap = { x: 60, y: 40 };
const padding = 40;

/** A plain drawing of a generated process: from left to right, so that modelers open it and a person can tidy it up. */
export function diagramOf(process: OutNode): OutNode {
  const drawn = drawParts(process, { corner: { x: 160, y: 80 }, known: new Map() });
  const plane = node("bpmndi:BPMNPlane", { id: "BPMNPlane_1", bpmnElement: process.attributes["id"] }, drawn);
  return node("bpmndi:BPMNDiagram", { id: "BPMNDiagram_1" }, [plane]);
}

/** Shapes of what stands in a container, from a corner on, and its flows, also to shapes that are known already. */
export function drawParts(
  container: OutNode,
  at: { readonly corner: Pick<Box, "x" | "y">; readonly known: ReadonlyMap<string, Box> },
): OutNode[] {
  const boxes = new Map(at.known);
  for (const [id, box] of placeScope(container).boxes) {
    boxes.set(id, { ...box, x: box.x + at.corner.x, y: box.y + at.corner.y });
  }
  // At the edges of what was drawn before.
  attachBoundaries(container, boxes);
  const shapes: OutNode[] = [];
  const edges: OutNode[] = [];
  const visit = (around: OutNode): void => {
    for (const part of around.children) {
      const id = part.attributes["id"] ?? "";
      const box = boxes.get(id);
      if (box !== undefined) shapes.push(shape(part, box));
      const [from, to] = [part.attributes["sourceRef"], part.attributes["targetRef"]].map((end) =>
        boxes.get(end ?? ""),
      );
      if (from !== undefined && to !== undefined) edges.push(edge(id, from, to));
      if (isContainer(part)) visit(part);
    }
  };
  visit(container);
  return [...shapes, ...edges];
}

function isContainer(part: OutNode): boolean {
  return /:(?:subProcess|transaction|adHocSubProcess)$/.test(part.name);
}

function isPlaced(part: OutNode): boolean {
  return (
    /(?:Event|[tT]ask|Gateway|Process|Activity|transaction)$/.test(part.name) && part.attributes["id"] !== undefined
  );
}

function sizeOf(part: OutNode): Sized {
  if (part.name.endsWith("Event")) return { node: part, width: 36, height: 36, inside: new Map() };
  if (part.name.endsWith("Gateway")) return { node: part, width: 50, height: 50, inside: new Map() };
  if (!isContainer(part)) return { node: part, width: 100, height: 80, inside: new Map() };
  const { boxes, width, height } = placeScope(part);
  return { node: part, width: width + 2 * padding, height: height + 2 * padding, inside: boxes };
}

/** Columns by the longest way from where the scope begins; what comes first stands on top. */
function placeScope(container: OutNode): { boxes: Map<string, Box>; width: number; height: number } {
  const parts = container.children.filter((part) => isPlaced(part) && part.name !== "bpmn:boundaryEvent").map(sizeOf);
  const columns = columnsOf(
    container,
    parts.map((part) => part.node.attributes["id"] ?? ""),
  );
  const boxes = new Map<string, Box>();
  let x = 0;
  let height = 0;
  for (const column of [...new Set(columns.values())].sort((a, b) => a - b)) {
    const here = parts.filter((part) => columns.get(part.node.attributes["id"] ?? "") === column);
    const width = Math.max(...here.map((part) => part.width));
    let y = 0;
    for (const part of here) {
      // Everything in a row has its middle where a task has it, so that flows run straight.
      const box = {
        x: x + (width - part.width) / 2,
        y: y + Math.max(0, (80 - part.height) / 2),
        width: part.width,
        height: part.height,
      };
      boxes.set(part.node.attributes["id"] ?? "", box);
      for (const [id, inner] of part.inside)
        boxes.set(id, { ...inner, x: inner.x + box.x + padding, y: inner.y + box.y + padding });
      y += Math.max(80, part.height) + gap.y;
    }
    height = Math.max(height, y - gap.y);
    x += width + gap.x;
  }
  attachBoundaries(container, boxes);
  return { boxes, width: Math.max(0, x - gap.x), height };
}

/** Boundary events in a row along the lower edge of their activity, beside those that are there. */
function attachBoundaries(container: OutNode, boxes: Map<string, Box>): void {
  for (const { attributes } of container.children) {
    const id = attributes["id"] ?? "";
    const host = boxes.get(attributes["attachedToRef"] ?? "");
    if (host === undefined || boxes.has(id)) continue;
    const y = host.y + host.height - 18;
    const others = [...boxes.values()].filter((box) => box.height === 36 && Math.abs(box.y - y) < 36);
    let x = host.x + 8;
    while (others.some((box) => Math.abs(box.x - x) < 36)) x += 40;
    boxes.set(id, { x, y, width: 36, height: 36 });
  }
}

/** How many steps each element stands from a start, by the longest way; flows that lead back do not count. */
function columnsOf(container: OutNode, ids: readonly string[]): Map<string, number> {
  const hosts = new Map(
    container.children.map((part) => [part.attributes["id"] ?? "", part.attributes["attachedToRef"]]),
  );
  const next = new Map<string, string[]>();
  const targets = new Set<string>();
  for (const part of container.children) {
    const { sourceRef, targetRef } = part.attributes;
    if (sourceRef === undefined || targetRef === undefined) continue;
    const from = hosts.get(sourceRef) ?? sourceRef;
    next.set(from, [...(next.get(from) ?? []), targetRef]);
    targets.add(targetRef);
  }
  const columns = new Map(ids.map((id) => [id, 0]));
  const order = forwards(ids.filter((id) => !targets.has(id)).concat(ids), next);
  const rank = new Map(order.map((id, index) => [id, index]));
  for (const id of order) {
    for (const target of next.get(id) ?? []) {
      const back = (rank.get(target) ?? 0) <= (rank.get(id) ?? 0);
      if (!back) columns.set(target, Math.max(columns.get(target) ?? 0, (columns.get(id) ?? 0) + 1));
    }
  }
  return columns;
}

/** A topological order, as far as circles allow one. Without recursion: a path may be ten thousand elements long. */
function forwards(starts: readonly string[], next: ReadonlyMap<string, readonly string[]>): string[] {
  const seen = new Set<string>();
  const finished: string[] = [];
  for (const start of starts) {
    const stack: { readonly id: string; at: number }[] = seen.has(start) ? [] : [{ id: start, at: 0 }];
    seen.add(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const target = next.get(top.id)?.[top.at++];
      if (target === undefined) finished.push(stack.pop()?.id ?? "");
      else if (!seen.has(target)) {
        seen.add(target);
        stack.push({ id: target, at: 0 });
      }
    }
  }
  return finished.reverse();
}

function shape(part: OutNode, box: Box): OutNode {
  const id = part.attributes["id"] ?? "";
  const { x, y, width, height } = box;
  const bounds = {
    x: String(Math.round(x)),
    y: String(Math.round(y)),
    width: String(width),
    height: String(height),
  };
  const expanded = isContainer(part) ? "true" : undefined;
  return node("bpmndi:BPMNShape", { id: `${id}_di`, bpmnElement: id, isExpanded: expanded }, [
    node("dc:Bounds", bounds),
  ]);
}

function edge(id: string, from: Box, to: Box): OutNode {
  const point = (x: number, y: number) => node("di:waypoint", { x: String(Math.round(x)), y: String(Math.round(y)) });
  const start = { x: from.x + from.width, y: from.y + from.height / 2 };
  const end = { x: to.x, y: to.y + to.height / 2 };
  const middle = (start.x + end.x) / 2;
  const bend = start.y === end.y ? [] : [point(middle, start.y), point(middle, end.y)];
  return node("bpmndi:BPMNEdge", { id: `${id}_di`, bpmnElement: id }, [
    point(start.x, start.y),
    ...bend,
    point(end.x, end.y),
  ]);
}
