/** One arrow: from a node, by one of its routes when it is a gateway, to another. */
export interface Arrow {
  readonly from: string;
  readonly route?: string;
  readonly to: string;
}

export type Arrows =
  | { readonly ok: true; readonly arrows: readonly Arrow[]; readonly groups: readonly Group[] }
  | { readonly ok: false; readonly message: string };

/** `[a & b]` in a chain: the nodes run at once, between a fork and a join with generated ids. */
export interface Group {
  readonly fork: string;
  readonly join: string;
}

type Segment = { readonly nodes: readonly string[]; readonly route?: string };

const name = "[A-Za-z_][A-Za-z0-9_-]*";
const single = new RegExp(`^(${name})(?:\\[\\s*(${name})\\s*\\])?$`);
const group = new RegExp(`^\\[\\s*(${name}(?:\\s*&\\s*${name})+)\\s*\\]$`);

/** Reads `a → b`, `a -> b[route] → c` and `a → [b & c] → d`. `label` names the generated gateways. */
export function parseArrows(text: string, label: string): Arrows {
  const parts = text.split(/→|->|⇒|=>/).map((part) => part.trim());
  if (parts.length < 2) return { ok: false, message: `Expected "a → b", but found ${quote(text)}` };
  const segments: Segment[] = [];
  for (const part of parts) {
    const one = single.exec(part);
    const many = one === null ? group.exec(part) : null;
    if (one?.[1] !== undefined) segments.push({ nodes: [one[1]], ...(one[2] !== undefined && { route: one[2] }) });
    else if (many?.[1] !== undefined) segments.push({ nodes: many[1].split("&").map((node) => node.trim()) });
    else return { ok: false, message: `Expected an id, id[route] or [a & b], but found ${quote(part)}` };
  }
  if (segments.at(-1)?.route !== undefined) {
    return { ok: false, message: `Expected an arrow after the route ${segments.at(-1)?.route}, but there is none` };
  }
  return { ok: true, ...connect(segments, label) };
}

function connect(segments: readonly Segment[], label: string): { arrows: Arrow[]; groups: Group[] } {
  const arrows: Arrow[] = [];
  const groups: Group[] = [];
  const ends = segments.map((segment, index) => {
    const [first = ""] = segment.nodes;
    if (segment.nodes.length === 1) return { entry: first, exit: first };
    const gates = { fork: `${label}.fork-${index + 1}`, join: `${label}.join-${index + 1}` };
    groups.push(gates);
    for (const node of segment.nodes) arrows.push({ from: gates.fork, to: node }, { from: node, to: gates.join });
    return { entry: gates.fork, exit: gates.join };
  });
  for (let index = 1; index < segments.length; index++) {
    const route = segments[index - 1]?.route;
    arrows.push({
      from: ends[index - 1]?.exit ?? "",
      to: ends[index]?.entry ?? "",
      ...(route !== undefined && { route }),
    });
  }
  return { arrows, groups };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text);
}
