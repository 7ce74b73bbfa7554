export interface Rule {
  /** As in `K12`. */
  readonly id: string;
  readonly path: string;
  readonly line: number;
  readonly text: string;
  /** A rule that no test can show, only the shape of the code: marked `(by design)`. */
  readonly byDesign: boolean;
}

export interface Citation {
  readonly id: string;
  readonly path: string;
  readonly line: number;
}

const ruleLine = /^\s*(?:[-*#>|]+\s+)*(?:\*\*|`)?([A-Z]{1,3}\d+[a-z]?)(?:\*\*|`)?[\s.:|–—]/;
const bracket = /\[([A-Z]{1,3}\d+[a-z]?(?:(?:\s*[,;]\s*|\s*(?:-|–|\.\.)\s*|\s+)[A-Z]{1,3}\d+[a-z]?)*)\]/g;
const fence = /^\s*(```|~~~)/;

/** Rules are lines of a SPEC.md that begin with their id, after a list, heading, table or bold mark. */
export function rulesOf(path: string, text: string): Rule[] {
  const rules: Rule[] = [];
  let inFence = false;
  let open: { id: string; line: number; lines: string[] } | undefined;
  const close = (): void => {
    if (open === undefined) return;
    const whole = open.lines.join("\n").trim();
    rules.push({ id: open.id, path, line: open.line, text: whole, byDesign: whole.includes("(by design)") });
    open = undefined;
  };
  for (const [index, line] of text.split("\n").entries()) {
    if (fence.test(line)) inFence = !inFence;
    const id = inFence ? undefined : ruleLine.exec(line)?.[1];
    if (id !== undefined) {
      close();
      open = { id, line: index + 1, lines: [line] };
    } else if (line.trim() === "" || /^#/.test(line)) close();
    else open?.lines.push(line);
  }
  close();
  return rules;
}

/** Ids in square brackets, as in `test("[K12] …")` or `test("[K12, K14] …")`; `[K3–K5]` cites all three. */
export function citationsOf(path: string, text: string): Citation[] {
  const found: Citation[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    for (const match of line.matchAll(bracket)) {
      for (const id of spread(match[1] ?? "")) found.push({ id, path, line: index + 1 });
    }
  }
  return found;
}

function spread(list: string): string[] {
  const ids: string[] = [];
  for (const part of list.split(/\s*[,;]\s*|\s+(?![-–.])(?<![-–.]\s)/)) {
    const [from = "", to] = part.split(/\s*(?:-|–|\.\.)\s*/);
    const letters = from.replace(/\d.*$/, "");
    const first = Number(/\d+/.exec(from)?.[0]);
    const last = Number(/\d+/.exec(to ?? from)?.[0]);
    if (to === undefined) ids.push(from);
    else for (let n = first; n <= last; n += 1) ids.push(`${letters}${n}`);
  }
  return ids;
}

/** Rules said twice, rules that no test cites, and citations of rules that nobody wrote. */
export function specFindings(rules: readonly Rule[], citations: readonly Citation[]): string[] {
  const findings: string[] = [];
  const known = new Map<string, Rule>();
  for (const rule of rules) {
    const first = known.get(rule.id);
    if (first === undefined) known.set(rule.id, rule);
    else findings.push(`${rule.path}:${rule.line} says ${rule.id} again, first said at ${first.path}:${first.line}`);
  }
  const cited = new Set(citations.map(({ id }) => id));
  for (const rule of known.values()) {
    if (!cited.has(rule.id) && !rule.byDesign)
      findings.push(`${rule.path}:${rule.line} ${rule.id} is cited by no test`);
  }
  for (const { id, path, line } of citations) {
    if (!known.has(id)) findings.push(`${path}:${line} cites ${id}, which no SPEC.md has`);
  }
  return findings;
}
