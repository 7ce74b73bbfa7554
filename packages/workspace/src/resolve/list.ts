import { mergeCommaList, mergeNamesInLine } from "./comma-list.ts";
import { bounded, type Rule, type RuleResult, type TextConflict } from "./rule.ts";
import { commonPrefix, inOrder, linesOf, mergeSequences } from "./sequence.ts";
import { isBalanced, type Spot } from "./spot.ts";

/** The lines of `Spot`, or undefined when this way does not fit. */
type Way = (spot: Spot) => { readonly lines: readonly string[]; readonly how: string } | undefined;

const linesMax = 20_000;
// The patterns below are made for lines that people write; some take time squared.
const lineCharactersMax = 1_000;

/**
 * Resolves a file in which every conflict is an addition to some list: import lines, named imports, entries between
 * commas, registrations, whole declarations, ignore patterns, change logs. One conflict of another kind declines all.
 */
export const mergeLists: Rule = bounded(merge);

function merge(conflict: TextConflict): RuleResult {
  const sides = { base: linesOf(conflict.base), ours: linesOf(conflict.ours), theirs: linesOf(conflict.theirs) };
  if (Math.max(sides.base.length, sides.ours.length, sides.theirs.length) > linesMax) {
    return { declined: `it has more than ${linesMax} lines` };
  }
  const regions = mergeSequences(sides, (line) => line);
  const out: string[] = [];
  const how = new Set<string>();
  for (const [i, region] of regions.entries()) {
    if (region.type === "agreed") {
      out.push(...region.items);
      continue;
    }
    const next = regions[i + 1];
    const after = next?.type === "agreed" ? next.items : [];
    const spot: Spot = { ...region, path: conflict.path, before: out.slice(-20), after };
    const way = resolveSpot(spot);
    if (way === undefined) {
      const line = out.length + 1;
      return { declined: `both sides changed the lines around ${line} in a way that is not an addition to a list` };
    }
    out.push(...way.lines);
    how.add(way.how);
  }
  return { resolved: out.join("\n"), rule: "list", note: [...how].sort().join(", ") || "nothing was in conflict" };
}

const ways: readonly Way[] = [lineSet, changeLog, imports, mergeNamesInLine, mergeCommaList, calls, declarations];

function resolveSpot(spot: Spot): ReturnType<Way> {
  if ([...spot.base, ...spot.ours, ...spot.theirs].some(({ length }) => length > lineCharactersMax)) return undefined;
  for (const placed of [spot, ...slidUp(spot), ...slidDown(spot)]) {
    for (const way of ways) {
      const result = way(placed);
      const lines = result && putBack(result.lines, placed);
      if (result && lines) return { lines, how: result.how };
    }
  }
  return undefined;
}

/** A spot whose insertions were cut out differently; `shared` are the lines that moved around them. */
interface SlidSpot extends Spot {
  readonly slid?: { readonly to: "up" | "down"; readonly shared: readonly string[] };
}

const slideMax = 3;

/**
 * The same insertion can be cut out in several ways: when it ends with the line before it, it may as well start with
 * that line. Each way is tried, since only one of them shows a whole declaration.
 */
function slidUp(spot: Spot): SlidSpot[] {
  const placed: SlidSpot[] = [];
  for (let k = 1; spot.base.length === 0 && k <= slideMax; k += 1) {
    const shared = spot.before.slice(-k);
    const [ours, theirs] = [spot.ours, spot.theirs].map((side) =>
      isEqual(side.slice(-k), shared) ? [...shared, ...side.slice(0, -k)] : [],
    );
    if (shared.length < k || !ours?.length || !theirs?.length) break;
    placed.push({
      ...spot,
      ours,
      theirs,
      before: spot.before.slice(0, -k),
      after: [...shared, ...spot.after],
      slid: { to: "up", shared },
    });
  }
  return placed;
}

function slidDown(spot: Spot): SlidSpot[] {
  const placed: SlidSpot[] = [];
  for (let k = 1; spot.base.length === 0 && k <= slideMax; k += 1) {
    const shared = spot.after.slice(0, k);
    const [ours, theirs] = [spot.ours, spot.theirs].map((side) =>
      isEqual(side.slice(0, k), shared) ? [...side.slice(k), ...shared] : [],
    );
    if (shared.length < k || !ours?.length || !theirs?.length) break;
    placed.push({
      ...spot,
      ours,
      theirs,
      before: [...spot.before, ...shared],
      after: spot.after.slice(k),
      slid: { to: "down", shared },
    });
  }
  return placed;
}

/** The lines for the place where the insertion was found: the shared ones stand there already, once. */
function putBack(lines: readonly string[], { slid }: SlidSpot): readonly string[] | undefined {
  if (slid === undefined) return lines;
  const { to, shared } = slid;
  const k = shared.length;
  if (to === "up") return isEqual(lines.slice(0, k), shared) ? [...lines.slice(k), ...shared] : undefined;
  return isEqual(lines.slice(-k), shared) ? [...shared, ...lines.slice(0, -k)] : undefined;
}

function isEqual(x: readonly string[], y: readonly string[]): boolean {
  return x.length === y.length && x.every((line, i) => line === y[i]);
}

/** Files that are sets of lines: every line of either side that was not removed by the other. */
function lineSet(spot: Spot): ReturnType<Way> {
  if (
    !/(?:^|\/)(?:\.(?:git|docker|npm|eslint|prettier|hg)ignore|CODEOWNERS|\.gitattributes|requirements[^/]*\.txt)$/.test(
      spot.path,
    )
  ) {
    return undefined;
  }
  // Patterns with ! and later matching lines depend on their order.
  if ([...spot.ours, ...spot.theirs].some((line) => line.startsWith("!"))) return undefined;
  const [first, second] = inOrder(spot.ours, spot.theirs, (lines) => lines.join("\n"));
  const removed = spot.base.filter((line) => !first.includes(line) || !second.includes(line));
  const lines: string[] = [];
  for (const line of [...first, ...second]) {
    if (!removed.includes(line) && (line === "" ? lines.at(-1) !== "" : !lines.includes(line))) lines.push(line);
  }
  return { lines, how: "kept the lines of both" };
}

/** Both wrote a new entry at the same place of a change log; a heading that both began with stands once. */
function changeLog(spot: Spot): ReturnType<Way> {
  if (!/(?:^|\/)(?:CHANGELOG|CHANGES|HISTORY|NEWS|RELEASES|AUTHORS|CONTRIBUTORS)[^/]*$/i.test(spot.path))
    return undefined;
  if (spot.base.some((line) => line.trim() !== "")) return undefined;
  const shared = commonPrefix(spot.ours, spot.theirs);
  const [first, second] = inOrder(spot.ours.slice(shared), spot.theirs.slice(shared), (lines) => lines.join("\n"));
  const blank = first.length > 0 && second.length > 0 && first.at(-1) === "" && second.at(-1) === "";
  const lines = [...spot.ours.slice(0, shared), ...(blank ? first.slice(0, -1) : first), ...second];
  return { lines, how: "kept the entries of both" };
}

const importLine =
  /^\s*(?:import\b.*\bfrom\s*["'][^"']+["'].*|import\s*["'][^"']+["'];?|export\b.*\bfrom\s*["'][^"']+["'];?|(?:const|let|var)\s+[^=]+=\s*require\([^)]*\);?|(?:from\s+[\w.]+\s+)?import\s+[\w.*, ]+(?:\s+as\s+\w+)?|use\s+[\w:{}, *]+;|#include\s+[<"].+[>"])\s*$/;

/** Runs of blanks are folded first: the pattern would try every way to share them out. */
function isImport(line: string): boolean {
  return importLine.test(line.replace(/\s+/g, " "));
}

/** Both added whole import or export lines. Two that bring the same name from different places are no list. */
function imports(spot: Spot): ReturnType<Way> {
  if (spot.base.length > 0) return undefined;
  const own = (side: readonly string[]): string[] => side.filter((line) => line.trim() !== "");
  const [ours, theirs] = [own(spot.ours), own(spot.theirs)];
  if (ours.length === 0 || theirs.length === 0 || ![...ours, ...theirs].every(isImport)) return undefined;
  const onlyTheirs = theirs.filter((line) => !ours.includes(line));
  const taken = new Set(ours.filter((line) => !theirs.includes(line)).flatMap(boundNames));
  if (onlyTheirs.flatMap(boundNames).some((name) => taken.has(name))) return undefined;
  return { lines: unionOfLines(spot), how: "kept the imports of both" };
}

function boundNames(line: string): string[] {
  const clause =
    /^\s*export\b/.test(line) && /\*/.test(line) ? "" : line.replace(/\b(?:from\s*["'].*|=\s*require\(.*)$/, "");
  const names = clause.replace(/^\s*from\s+\S+/, "").replace(/[\w$*]+\s+as\s+/g, "");
  return (names.match(/[\w$]+/g) ?? []).filter(
    (name) => !["import", "export", "type", "const", "let", "var", "use", "default"].includes(name),
  );
}

/** Both added one-line calls on the same object, such as routes on a router. */
function calls(spot: Spot): ReturnType<Way> {
  if (spot.base.length > 0) return undefined;
  const shapes = new Set<string>();
  for (const line of [...spot.ours, ...spot.theirs]) {
    if (line.trim() === "") continue;
    const call = /^(\s*)(?:await\s+)?([\w$]+)((?:\.[\w$]+)*)\(.*\);?$/.exec(line);
    if (call === null || !isBalanced([line]) || ["if", "for", "while", "switch", "return"].includes(call[2] ?? ""))
      return undefined;
    // Of `app.get` and `app.post` the object decides; a bare function must be the same one.
    shapes.add(`${call[1]}${call[2]}${call[3] === "" ? "()" : "."}`);
  }
  if (shapes.size !== 1) return undefined;
  return { lines: unionOfLines(spot), how: "kept the registrations of both" };
}

const declaration =
  /^(\s*)(?:export\s+(?:default\s+)?)?(?:(?:async\s+)?function\*?\s+([\w$]+)|(?:abstract\s+)?class\s+([\w$]+)|(?:interface|type|enum)\s+([\w$]+)|(?:const|let|var)\s+([\w$]+)|(?:async\s+)?def\s+(\w+)|func\s+(?:\([^)]*\)\s*)?(\w+)|(?:test|it|describe)\(\s*(["'`].*?["'`]))/;

/** Both added whole functions, classes or tests of different names at one place. */
function declarations(spot: Spot): ReturnType<Way> {
  if (spot.base.some((line) => line.trim() !== "")) return undefined;
  const [ours, theirs] = [declaredNames(spot.ours), declaredNames(spot.theirs)];
  if (ours === undefined || theirs === undefined || ours.indent !== theirs.indent) return undefined;
  if (ours.names.some((name) => theirs.names.includes(name))) return undefined;
  const [first, second] = inOrder(spot.ours, spot.theirs, (lines) => lines.join("\n"));
  const gap = first.at(-1)?.trim() !== "" && second[0]?.trim() !== "" && first.length > 1 ? [""] : [];
  return { lines: [...first, ...gap, ...second], how: "kept the declarations of both" };
}

/** Undefined unless the lines are complete declarations, perhaps with comments and blank lines. */
function declaredNames(lines: readonly string[]): { names: string[]; indent: string } | undefined {
  if (!isBalanced(lines)) return undefined;
  const own = lines.filter((line) => line.trim() !== "");
  const indent = /^\s*/.exec(own[0] ?? "")?.[0] ?? "";
  const names: string[] = [];
  for (const line of own) {
    const depth = /^\s*/.exec(line)?.[0] ?? "";
    if (!depth.startsWith(indent)) return undefined;
    if (depth !== indent || /^\s*(?:\/\/|\/\*|\*|#|@|[)\]}])/.test(line)) continue;
    const match = declaration.exec(line);
    if (match === null) return undefined;
    names.push(match.slice(2).find((name) => name !== undefined) ?? "");
  }
  return names.length > 0 ? { names, indent } : undefined;
}

/** Line by line both lists, equal lines once; sorted where each list and its neighbours are. */
function unionOfLines(spot: Spot): string[] {
  const [first, second] = inOrder(spot.ours, spot.theirs, (lines) => lines.join("\n"));
  const both = [...first, ...second.filter((line) => line.trim() === "" || !first.includes(line))];
  const edges = [spot.before.at(-1), spot.after[0]].filter(
    (line): line is string => line !== undefined && isImport(line),
  );
  const isSorted = (lines: readonly string[]): boolean =>
    lines.every((line, i) => i === 0 || (lines[i - 1] ?? "") <= line);
  const sorted = [...both].sort();
  const before = edges.length === 2 ? [edges[0] ?? ""] : [];
  const after = edges.length === 2 ? [edges[1] ?? ""] : [];
  const wasSorted =
    isSorted(first) && isSorted(second) && before.length > 0 && isSorted([...before, ...sorted, ...after]);
  return wasSorted ? sorted : both;
}
