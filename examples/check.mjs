// Proves that the material of an example is right without any part of Tutti: it plays the agents' scripts with plain
// git and the example's own tests, in a temporary folder.
//
//   node examples/check.mjs              every example
//   node examples/check.mjs oauth-login  one of them
//
// Each unit starts from the merge of what it depends on, every attempt is tested, and at the end all units are merged
// in order. What must be red, which pairs must conflict in which files, and by what each conflict is solved, stands in
// the example's expected.yaml.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, matchesGlob, resolve } from "node:path";
import { parse } from "yaml";

const examples = import.meta.dirname;
const everything = [
  "oauth-login",
  "word-count-python",
  "units-sh",
  "fixtures/fifty-agents",
  "fixtures/diamond-late",
  "fixtures/auth-rb-conflict",
  "fixtures/base-conflict",
  "fixtures/small-feature",
  "fixtures/planner",
];
const named = process.argv.slice(2);
for (const name of named.length > 0 ? named : everything) check(name);

function check(name) {
  const startedAt = Date.now();
  const example = load(join(examples, name));
  if (example.expected.needs !== undefined && spawnSync(example.expected.needs, ["--version"]).status !== 0) {
    console.log(`${name}: skipped, because ${example.expected.needs} is not on the PATH`);
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), "tutti-check-"));
  try {
    const git = repository(scratch, example);
    const firstHolderFirst = buildUnits(git, example, example.plan.units);
    checkConflicts(git, example, firstHolderFirst);
    mergeAll(git, example, firstHolderFirst);
    if ((example.expected.locks ?? []).length > 0) {
      // Whoever gets a shared lock first, the result must be sound.
      const lastHolderFirst = buildUnits(git, example, [...example.plan.units].reverse());
      mergeAll(git, example, lastHolderFirst);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  console.log(`${name}: right (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)\n`);
}

function load(folder) {
  const read = (file) => parse(readFileSync(join(folder, file), "utf8"));
  const [plan, script, expected] = ["plan.yaml", "agents.yaml", "expected.yaml"].map(read);
  assert.equal(plan.format, "tutti-plan/1");
  assert.equal(script.format, "tutti-script/1");
  const ids = plan.units.map(({ id }) => id);
  for (const unit of plan.units) {
    for (const id of unit.dependsOn) assert.ok(ids.includes(id), `${unit.id} depends on ${id}, which is no unit`);
    assert.ok(script.tasks[unit.id], `${unit.id} has no script`);
    assert.ok(unit.requirements.length > 0 && unit.verify.length > 0 && unit.acceptance.length > 0, unit.id);
  }
  // A comma in a flow mapping would split a text into keys without any parser's complaint.
  for (const requirement of plan.requirements) assert.deepEqual(Object.keys(requirement), ["id", "text"]);
  for (const { outcome } of Object.values(script.tasks).flat()) {
    assert.ok(Object.keys(outcome).every((key) => ["claim", "summary", "result"].includes(key)));
  }
  for (const { id } of plan.requirements) {
    assert.ok(
      plan.units.some(({ requirements }) => requirements.includes(id)),
      `no unit serves ${id}`,
    );
  }
  assert.deepEqual(locksOf(plan.units), expected.locks ?? []);
  const source = existsSync(join(folder, "repository"))
    ? join(folder, "repository")
    : join(examples, "fixtures/repository");
  return { folder, plan, script, expected, source };
}

/** Pairs that nothing orders, of which one owns what the other owns or may touch: these run one after the other. */
function locksOf(units) {
  const before = new Map();
  for (const { id, dependsOn } of topological(units)) {
    before.set(id, new Set(dependsOn.flatMap((other) => [other, ...before.get(other)])));
  }
  const meet = (globs, others) => globs.some((glob) => others.some((other) => matchesGlob(other, glob)));
  const pairs = units.flatMap((left, at) => units.slice(at + 1).map((right) => [left, right]));
  const locked = pairs.filter(([left, right]) => {
    if (before.get(left.id).has(right.id) || before.get(right.id).has(left.id)) return false;
    const [a, b] = [left.touches, right.touches];
    return meet(a.owns, [...b.owns, ...b.may]) || meet(b.owns, a.may);
  });
  return locked.map((pair) => pair.map(({ id }) => id));
}

/** A git repository with the example in it; returns a function that runs git there. */
function repository(scratch, example) {
  const env = { PATH: process.env.PATH, HOME: scratch, GIT_CONFIG_NOSYSTEM: "1", GIT_EDITOR: "true" };
  for (const role of ["AUTHOR", "COMMITTER"]) {
    env[`GIT_${role}_NAME`] = "Check";
    env[`GIT_${role}_EMAIL`] = "check@example.org";
  }
  const tree = join(scratch, "tree");
  cpSync(example.source, tree, { recursive: true });
  const run = (...args) => spawnSync("git", args, { cwd: tree, env, encoding: "utf8" });
  const git = (...args) => {
    const { status, stdout, stderr } = run(...args);
    assert.equal(status, 0, `git ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout.trim();
  };
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "base");
  git("config", "merge.conflictStyle", "diff3");
  return Object.assign(git, { tree, run, base: git("rev-parse", "HEAD") });
}

/** Plays every unit in an order that its dependencies allow; returns unit id → commit. */
function buildUnits(git, example, units) {
  const commits = new Map();
  const ordered = topological(units);
  for (const unit of ordered) {
    const before = [...unit.dependsOn, ...earlierHolders(example, unit.id, commits)];
    git("checkout", "-q", "--detach", before.length === 0 ? git.base : commits.get(before[0]));
    for (const id of before.slice(1))
      mergeOne(git, example, ["merge", "--no-ff", "--no-commit", "-q", commits.get(id)]);
    const start = git("rev-parse", "HEAD");
    const attempts = example.script.tasks[unit.id];
    const redCount = example.expected.red?.[unit.id] ?? 0;
    attempts.forEach((attempt, at) => {
      git("checkout", "-q", "--detach", start);
      apply(git.tree, example.folder, attempt.steps);
      const failed = unit.verify.map((command) => execute(git.tree, command)).find(({ status }) => status !== 0);
      if (at < redCount) assert.ok(failed, `${unit.id}: attempt ${at + 1} should be red`);
      else assert.equal(failed, undefined, `${unit.id}: attempt ${at + 1} should be green\n${failed?.output}`);
      checkClaim(git, unit);
      git("add", "-A");
      git("commit", "-qm", `${unit.id} (attempt ${at + 1})`);
    });
    assert.ok(attempts.length > redCount, `${unit.id} never gets green`);
    if (redCount > 0) console.log(`  ${unit.id}: red ${redCount} times, then green`);
    commits.set(unit.id, git("rev-parse", "HEAD"));
  }
  return commits;
}

function topological(units) {
  const done = new Set();
  const ordered = [];
  while (ordered.length < units.length) {
    const next = units.filter(({ id, dependsOn }) => !done.has(id) && dependsOn.every((other) => done.has(other)));
    assert.ok(next.length > 0, "the plan has a cycle");
    for (const unit of next) {
      done.add(unit.id);
      ordered.push(unit);
    }
  }
  return ordered;
}

function earlierHolders(example, id, commits) {
  const shared = (example.expected.locks ?? []).filter((holders) => holders.includes(id));
  return shared.flat().filter((other) => other !== id && commits.has(other));
}

function apply(tree, folder, steps) {
  for (const step of steps) {
    const [kind, value] = Object.entries(step)[0];
    if (kind === "say" || kind === "delayMs") continue;
    const path = join(tree, value.path);
    mkdirSync(dirname(path), { recursive: true });
    if (kind === "write") {
      writeFileSync(path, value.from === undefined ? value.content : readFileSync(resolve(folder, value.from)));
    } else if (kind === "append") {
      writeFileSync(path, readFileSync(path, "utf8") + value.content);
    } else if (kind === "replace") {
      const parts = readFileSync(path, "utf8").split(value.find);
      assert.equal(parts.length, 2, `${value.path}: found ${parts.length - 1} times instead of once:\n${value.find}`);
      writeFileSync(path, parts.join(value.with));
    } else if (kind === "delete") {
      rmSync(path);
    } else if (kind === "symlink") {
      symlinkSync(value.target, path);
    } else {
      assert.fail(`unknown step ${kind}`);
    }
  }
}

function execute(tree, command) {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: tree, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

function checkClaim(git, { id, touches }) {
  git("add", "-A");
  const claim = [...touches.owns, ...touches.may, ...touches.creates];
  for (const path of git("diff", "--cached", "--name-only").split("\n")) {
    assert.ok(
      claim.some((glob) => matchesGlob(path, glob)),
      `${id} wrote ${path}, which it does not claim`,
    );
  }
}

/** Which pairs of units conflict, in which files: exactly what expected.yaml says. */
function checkConflicts(git, example, commits) {
  const found = {};
  const ids = [...commits.keys()];
  for (const [at, left] of ids.entries()) {
    for (const right of ids.slice(at + 1)) {
      const args = [
        "merge-tree",
        "--write-tree",
        "--name-only",
        "--no-messages",
        commits.get(left),
        commits.get(right),
      ];
      const { status, stdout } = git.run(...args);
      assert.ok(status <= 1, `merge-tree failed for ${left} and ${right}`);
      if (status === 1) found[[left, right].sort().join(" × ")] = stdout.trim().split("\n").slice(1).sort();
    }
  }
  assert.deepEqual(found, Object.fromEntries(Object.entries(example.expected.conflicts ?? {})));
  console.log(`  ${Object.keys(found).length} pairs conflict, as expected`);
}

function mergeAll(git, example, commits) {
  git("checkout", "-q", "--detach", git.base);
  const solved = {};
  for (const commit of commits.values()) {
    // Against the commit that the unit started from, not against what git would take for the common ancestor: a start
    // that was merged from conflicting units is none that git can find, and it would meet those conflicts again.
    const ways = ["cherry-pick", "--no-commit", commit];
    for (const [path, rule] of mergeOne(git, example, ways)) solved[path] = rule;
  }
  assert.deepEqual(solved, example.expected.solved ?? {});
  for (const command of example.plan.checks) {
    const { status, output } = execute(git.tree, command);
    assert.equal(status, 0, `${command} is red on the merged tree:\n${output}`);
  }
  const how = Object.entries(solved).map(([path, rule]) => `${path} by ${rule}`);
  console.log(`  merged ${commits.size} units, everything green; conflicts solved: ${how.join(", ") || "none"}`);
}

/** Merges by the given git command and solves the conflicts; returns [path, by what] for each. */
function mergeOne(git, example, command) {
  const isClean = git.run(...command).status === 0;
  const paths = isClean ? [] : git("diff", "--name-only", "--diff-filter=U").split("\n");
  assert.notDeepEqual(paths, [""], `git ${command.join(" ")} failed without a conflict`);
  const solved = paths.map((path) => [path, solve(git, example, path)]);
  git("add", "-A");
  git("commit", "-qm", `merge ${command.at(-1)}`);
  return solved;
}

function solve(git, example, path) {
  const file = join(git.tree, path);
  if (path.endsWith(".json")) {
    const [base, ours, theirs] = [1, 2, 3].map((stage) => JSON.parse(git("show", `:${stage}:${path}`)));
    writeFileSync(file, `${JSON.stringify(mergeJson({ base, ours, theirs, path }), null, 2)}\n`);
    return "json";
  }
  const answer = example.script.tasks[`resolve:${path}`];
  if (answer !== undefined) {
    const [base, ...sides] = [1, 2, 3].map((stage) => git("show", `:${stage}:${path}`).split("\n"));
    apply(git.tree, example.folder, answer[0].steps);
    const result = readFileSync(file, "utf8").split("\n");
    const lost = sides.flat().filter((line) => !base.includes(line) && !result.includes(line));
    assert.deepEqual(lost, [], `the resolver's answer for ${path} loses lines that one side added`);
    return "resolver";
  }
  writeFileSync(file, unionOfAdditions(readFileSync(file, "utf8"), path));
  return "list";
}

function mergeJson({ base, ours, theirs, path }) {
  if (JSON.stringify(ours) === JSON.stringify(theirs) || JSON.stringify(theirs) === JSON.stringify(base)) return ours;
  if (JSON.stringify(ours) === JSON.stringify(base)) return theirs;
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  assert.ok([base, ours, theirs].every(isObject), `${path}: both sides changed the same value`);
  const merged = {};
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const value = mergeJson({ base: base[key], ours: ours[key], theirs: theirs[key], path: `${path}/${key}` });
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}

/** Keeps the lines of both sides, ours first. Only right where both sides did nothing but add lines. */
function unionOfAdditions(text, path) {
  const conflict = /^<{7} .*\n([\s\S]*?)^\|{7} .*\n([\s\S]*?)^={7}\n([\s\S]*?)^>{7} .*\n/gm;
  return text.replace(conflict, (_, ...sides) => {
    const [ours, base, theirs] = sides;
    assert.equal(base, "", `${path}: one side changed lines, so that no list rule solves it:\n${base}`);
    return ours + theirs;
  });
}
