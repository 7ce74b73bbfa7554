import { inOrder, mergeSequences } from "./sequence.ts";
import { isBalanced, type Spot } from "./spot.ts";

type Way = { readonly lines: readonly string[]; readonly how: string } | undefined;

/** One line that names several things: what stands before the names, the names, what stands after. */
const namedLists: readonly RegExp[] = [
  /^(\s*(?:import|export)\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?\{)([^{}]*)(\}.*)$/,
  /^(\s*(?:const|let|var)\s+\{)([^{}=:]*)(\}\s*=\s*(?:await\s+import|require)\(.*)$/,
  /^(\s*(?:module\.)?exports\s*=\s*\{)([^{}]*)(\};?)$/,
  /^(\s*from\s+[\w.]+\s+import\s+)([\w\s,]+)()$/,
  /^(\s*(?:export\s+)?(?:const|let|var)\s+[\w$]+\s*=\s*\[)([^[\](){}]*)(\];?)$/,
  /^(\s*__all__\s*=\s*\[)([^[\](){}]*)(\])$/,
];

/** Both changed the names in one line of imports, exports or a short list. */
export function mergeNamesInLine(spot: Spot): Way {
  if (spot.base.length !== 1 || spot.ours.length !== 1 || spot.theirs.length !== 1) return undefined;
  const lines = { base: spot.base[0] ?? "", ours: spot.ours[0] ?? "", theirs: spot.theirs[0] ?? "" };
  for (const pattern of namedLists) {
    const [base, ours, theirs] = [pattern.exec(lines.base), pattern.exec(lines.ours), pattern.exec(lines.theirs)];
    if (base === null || ours === null || theirs === null) continue;
    if ([ours, theirs].some((side) => side[1] !== base[1] || side[3] !== base[3])) continue;
    const merged = mergeEntries({ base: names(base[2]), ours: names(ours[2]), theirs: names(theirs[2]) });
    if (merged === undefined) return undefined;
    const inner = base[2] ?? "";
    const [open, close] = [/^\s*/.exec(inner)?.[0] ?? "", /\s*$/.exec(inner)?.[0] ?? ""];
    return { lines: [`${base[1]}${open}${merged.join(", ")}${close}${base[3]}`], how: "merged the names in a line" };
  }
  return undefined;
}

function names(text = ""): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** Both changed entries of a list that has one entry a line. */
export function mergeCommaList(spot: Spot): Way {
  const closes = /^\s*[\])}]/.test(spot.after[0] ?? "");
  const sides = {
    base: entriesOf(spot.base, closes),
    ours: entriesOf(spot.ours, closes),
    theirs: entriesOf(spot.theirs, closes),
  };
  if (sides.base === undefined || sides.ours === undefined || sides.theirs === undefined) return undefined;
  const all = [...sides.base, ...sides.ours, ...sides.theirs];
  if (new Set(all.map((line) => /^\s*/.exec(line)?.[0])).size !== 1) return undefined;
  // Alone, a line with a comma could be anything; among its like it is an entry.
  const bordering = spot.before.at(-1) ?? "";
  if (!closes && !/[,([{]\s*$/.test(bordering)) return undefined;
  const merged = mergeEntries({ base: sides.base, ours: sides.ours, theirs: sides.theirs });
  if (merged === undefined) return undefined;
  const bare = closes && !spot.ours.at(-1)?.endsWith(",") && !spot.theirs.at(-1)?.endsWith(",");
  const lines = merged.map((entry, i) => (bare && i === merged.length - 1 ? entry : `${entry},`));
  return { lines, how: "merged the entries of a list" };
}

/** Entries without their commas, or undefined when a line is something else. */
function entriesOf(lines: readonly string[], closes: boolean): string[] | undefined {
  const entries: string[] = [];
  for (const [i, line] of lines.entries()) {
    const last = i === lines.length - 1;
    if (!line.endsWith(",") && !(last && closes)) return undefined;
    const entry = line.replace(/,$/, "");
    if (entry.trim() === "" || /[;{([,]$/.test(entry) || !isBalanced([entry])) return undefined;
    entries.push(entry);
  }
  return entries;
}

function mergeEntries(sides: {
  readonly base: readonly string[];
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}): string[] | undefined {
  const merged: string[] = [];
  for (const region of mergeSequences(sides, (entry) => entry)) {
    if (region.type === "agreed") merged.push(...region.items);
    else if (region.base.length > 0) return undefined;
    else {
      const [first, second] = inOrder(region.ours, region.theirs, (items) => items.join("\n"));
      merged.push(...first, ...second.filter((entry) => !first.includes(entry)));
    }
  }
  // One name with two values is a contradiction, not a list.
  const keys = merged.map((entry) => /^\s*(["']?[\w$.-]+["']?)\s*:/.exec(entry)?.[1] ?? entry.trim());
  return new Set(keys).size === keys.length ? merged : undefined;
}
