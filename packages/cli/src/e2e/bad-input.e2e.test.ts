import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { asRoot, mountTemporary } from "../testing/mount.ts";
import { createScene, examples, runExample, type Scene } from "../testing/scene.ts";

// Each refusal has its code, its exit status, its place and a way out, and nothing is written: neither in the
// repository, down to git's own files, nor in the state folder.

const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.remove();
});

function fresh(): Scene {
  const scene = createScene();
  scenes.push(scene);
  return scene;
}

/** Every path below a folder with what it holds; a database's own bookkeeping files beside it are left out. */
function snapshot(folder: string): Record<string, string> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return {};
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const digest = (): string => createHash("sha256").update(readFileSync(path)).digest("hex");
    const held = entry.isFile() ? digest() : entry.isSymbolicLink() ? readlinkSync(path) : "";
    return [relative(folder, path), held] as const;
  });
  return Object.fromEntries(entries.filter(([path]) => !/-(wal|shm)$/.test(path)));
}

interface Refusal {
  readonly name: string;
  readonly code: string;
  readonly exit: number;
  /** Prepares the scene; gives the arguments. */
  arrange(scene: Scene): readonly string[];
  readonly place?: RegExp;
  readonly message?: RegExp;
}

const good = (scene: Scene, more: readonly string[] = []): readonly string[] =>
  runExample(scene, "fixtures/auth-rb-conflict", more);

/** A run that differs from a good one by one option. */
function with_(option: string, value: string): (scene: Scene) => readonly string[] {
  return (scene) => {
    const words = [...good(scene)];
    const at = words.indexOf(option);
    if (at < 0) return [...words, option, value];
    words[at + 1] = value;
    return words;
  };
}

const repositories: readonly Refusal[] = [
  { name: "no such folder", code: "repository-not-found", exit: 2, arrange: with_("--repo", "/does/not/exist") },
  {
    name: "no repository",
    code: "repository-not-found",
    exit: 2,
    arrange: (scene) => {
      rmSync(join(scene.repository, ".git"), { recursive: true });
      return good(scene);
    },
  },
  {
    name: "a bare repository",
    code: "repository-bare",
    exit: 2,
    arrange: (scene) => {
      const bare = join(scene.folder, "bare.git");
      scene.git("clone", "-q", "--bare", scene.repository, bare);
      return with_("--repo", bare)(scene);
    },
  },
  {
    name: "changes that are not committed",
    code: "repository-dirty",
    exit: 2,
    message: /README\.md/,
    arrange: (scene) => {
      writeFileSync(join(scene.repository, "README.md"), "changed\n");
      return good(scene);
    },
  },
  {
    name: "a branch without a commit",
    code: "branch-unborn",
    exit: 2,
    message: /main/,
    arrange: (scene) => {
      rmSync(join(scene.repository, ".git"), { recursive: true });
      scene.git("init", "-q", "-b", "main");
      return good(scene);
    },
  },
  { name: "a base that is not there", code: "base-not-found", exit: 2, arrange: with_("--base", "nowhere") },
];

const badPlan = (name: string): ((scene: Scene) => readonly string[]) =>
  with_("--plan", join(examples, "fixtures", "bad-plans", `${name}.yaml`));

const plans: readonly Refusal[] = [
  { name: "cyclic", code: "plan-cycle", place: /cyclic\.yaml:30:7$/, message: /A → C → B → A/ },
  { name: "unknown-dependency", code: "plan-unknown-dependency", place: /:30:9$/, message: /'missing'/ },
  { name: "duplicate-ids", code: "plan-duplicate-unit", place: /:34:9$/, message: /'A'/ },
  { name: "creates-twice", code: "plan-creates-twice", place: /:49:11$/, message: /'A' and 'B'/ },
  { name: "unknown-requirement", code: "plan-unknown-requirement", place: /:16:9$/, message: /'R9'/ },
  { name: "uncovered-requirement", code: "plan-uncovered-requirement", place: /:7:5$/, message: /'R2'/ },
  { name: "no-check", code: "plan-no-check", place: /:11:5$/, message: /'A'/ },
  { name: "outside-tree", code: "plan-path", place: /:26:11$/, message: /outside\.txt/ },
].map(({ name, ...rest }) => ({ name: `the plan ${name}`, exit: 2, arrange: badPlan(name), ...rest }));

const requests: readonly Refusal[] = [
  { name: "a plan that is not there", code: "file-unreadable", exit: 2, arrange: with_("--plan", "none.yaml") },
  {
    name: "a plan that is no YAML",
    code: "plan-unreadable",
    exit: 2,
    place: /plan\.yaml:\d+:\d+$/,
    arrange: (scene) => {
      writeFileSync(join(scene.folder, "plan.yaml"), "format: [\n");
      return with_("--plan", join(scene.folder, "plan.yaml"))(scene);
    },
  },
  { name: "an unknown agent", code: "agent-unknown", exit: 2, arrange: with_("--agent", "nobody") },
  { name: "an agent that is not installed", code: "agent-not-found", exit: 2, arrange: with_("--agent", "kilo") },
  {
    name: "a script that is not there",
    code: "script-invalid",
    exit: 2,
    arrange: with_("--script", "none.yaml"),
  },
  {
    name: "no script",
    code: "script-missing",
    exit: 2,
    arrange: (scene) => good(scene).filter((word, at, all) => word !== "--script" && all[at - 1] !== "--script"),
  },
  {
    name: "an unknown option",
    code: "option-unknown",
    exit: 2,
    message: /--plan/,
    arrange: () => ["run", "--plam", "x"],
  },
  { name: "an unknown command", code: "command-unknown", exit: 2, message: /resume/, arrange: () => ["resum"] },
  { name: "a number that is none", code: "option-invalid", exit: 2, arrange: with_("--attempts", "many") },
  { name: "a run that is not there", code: "database-missing", exit: 2, arrange: () => ["status"] },
];

/** Puts a file where the database belongs. */
function database(scene: Scene, write: (path: string) => void): readonly string[] {
  mkdirSync(scene.state, { mode: 0o700 });
  write(join(scene.state, "tutti.sqlite"));
  return good(scene);
}

function sqliteWith(statements: string): (path: string) => void {
  return (path) => {
    const made = new DatabaseSync(path);
    made.exec(statements);
    made.close();
  };
}

const states: readonly Refusal[] = [
  {
    name: "a damaged database",
    code: "database-damaged",
    exit: 1,
    arrange: (scene) => database(scene, (path) => writeFileSync(path, "not a database, ".repeat(1_000))),
  },
  {
    name: "a newer database",
    code: "database-newer",
    exit: 1,
    message: /schema 99/,
    arrange: (scene) =>
      database(scene, sqliteWith("CREATE TABLE t (x); PRAGMA application_id = 0x54757474; PRAGMA user_version = 99")),
  },
  {
    name: "somebody else's database",
    code: "database-foreign",
    exit: 2,
    arrange: (scene) => database(scene, sqliteWith("CREATE TABLE t (x); PRAGMA user_version = 1")),
  },
  {
    name: "a file where the state folder should be",
    code: "state-unusable",
    exit: 1,
    arrange: (scene) => {
      writeFileSync(scene.state, "");
      return good(scene);
    },
  },
];

test.each([...repositories, ...plans, ...requests, ...states])(
  "[X8] $name: $code, and nothing is written",
  async ({ code, exit, arrange, place = /(?:)/, message = /(?:)/ }) => {
    const scene = fresh();
    const args = arrange(scene);
    const before = [snapshot(scene.repository), snapshot(scene.state)];
    const refused = await scene.tutti([...args, "--json"]);
    expect(refused.exit, refused.stdout + refused.stderr).toBe(exit);
    const { error } = JSON.parse(refused.stdout) as {
      readonly error: { readonly code: string; readonly message: string; place: string | null; advice: string };
    };
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error.place ?? "").toMatch(place);
    expect(error.advice.length).toBeGreaterThan(10);
    expect([snapshot(scene.repository), withoutOwner(snapshot(scene.state))]).toEqual([
      before[0],
      withoutOwner(before[1] ?? {}),
    ]);
    expect(scene.ownerPid()).toBeUndefined();
  },
);

/** An owner that found the state unusable may have left its lock and its diary, which say nothing about runs. */
function withoutOwner(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).filter(([path]) => !/^(owner\.sqlite|logs(\/owner\.log)?)$/.test(path)),
  );
}

test("[X8] all problems of a plan are told at once, each with its place", async () => {
  const scene = fresh();
  const file = join(scene.folder, "plan.yaml");
  const unit = (id: string, rest: string): string =>
    `  - {id: ${id}, title: T, intent: I, touches: {creates: [${id}]}, ${rest}}\n`;
  const units = unit("a", "verify: [ls], dependsOn: [x]") + unit("b", 'verify: [], requirements: ["R9"]');
  writeFileSync(file, `format: tutti-plan/1\nfeature: F\nrequirements: []\nchecks: []\nunits:\n${units}`);
  const refused = await scene.tutti(with_("--plan", file)(scene));
  expect(refused.exit).toBe(2);
  for (const code of ["plan-unknown-dependency", "plan-unknown-requirement", "plan-no-check"]) {
    expect(refused.stderr).toMatch(new RegExp(`plan\\.yaml:\\d+:\\d+: ${code}`));
  }
});

test("[X8] two owners of one state folder: the second is refused and told who the first is", async () => {
  const scene = fresh();
  const started = await scene.tutti([...good(scene), "--detach"]);
  expect(started.exit, started.stderr).toBe(0);
  const pid = scene.ownerPid();
  const second = await scene.tutti(["serve", "--json"]);
  expect(second.exit).toBe(1);
  const { error } = JSON.parse(second.stdout) as { readonly error: { code: string; message: string } };
  expect(error.code).toBe("state-owned");
  expect(error.message).toContain(`process ${pid} `);
  const foreground = await scene.tutti([...good(scene), "--foreground"]);
  expect(foreground).toMatchObject({ exit: 1, stderr: expect.stringContaining("state-owned") });
  expect((await scene.tutti(["wait"])).exit).toBe(0);
  await scene.close();
});

test("[X8] a state folder that cannot be written to", async (context) => {
  context.skip(!asRoot, "needs the right to mount a read-only file system");
  const scene = fresh();
  const mounted = mountTemporary(join(scene.folder, "state"), { megabytes: 4, readOnly: true });
  context.skip(mounted === undefined, "mounting is not permitted here");
  try {
    const refused = await scene.tutti([...good(scene), "--json"]);
    expect(refused.exit).toBe(1);
    const { error } = JSON.parse(refused.stdout) as { readonly error: { code: string; message: string } };
    expect(["state-unusable", "database-unwritable"]).toContain(error.code);
    expect(error.message).toContain(scene.state);
    expect(scene.git("branch", "--list")).toBe("* main");
  } finally {
    mounted?.unmount();
  }
});
