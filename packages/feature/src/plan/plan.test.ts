import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checkPlan } from "./gates.ts";
import { planJsonSchema } from "./json-schema.ts";
import { globsOverlap, pathProblem } from "./overlap.ts";
import type { PlanProblem } from "./problem.ts";
import { checkSchema, readPlan } from "./read.ts";

const examples = fileURLToPath(new URL("../../../../examples/", import.meta.url));

function unit(id: string, more: object = {}): object {
  return { id, title: id, intent: id, touches: { creates: [`${id}.txt`] }, verify: [`test -f ${id}.txt`], ...more };
}

function check(units: readonly object[], more: { files?: readonly string[]; requirements?: object[] } = {}) {
  const draft = { format: "tutti-plan/1", feature: "f", requirements: more.requirements ?? [], units };
  const { plan, problems } = checkSchema(draft, () => undefined);
  if (plan === undefined) return { problems };
  return checkPlan(plan, { files: more.files ?? [], place: () => undefined });
}

const codes = (problems: readonly PlanProblem[]): string[] => problems.map((problem) => problem.code);

test("[P1] reads a plan with its defaults, and reports every schema problem at its place", () => {
  const text = "format: tutti-plan/1\nfeature: x\nunits:\n  - id: a b\n    title: t\n    intent: i\n    colour: red\n";
  const { plan, problems } = readPlan(text, "plan.yaml");
  expect(plan).toBeUndefined();
  expect(problems.map(({ code, position }) => [code, position?.line, position?.column])).toEqual([
    ["plan-schema", 4, 9],
    ["plan-schema", 4, 5],
  ]);
  expect(problems[0]?.message).toContain("units[0].id");
  const good = readPlan("format: tutti-plan/1\nfeature: x\nunits: [{ id: a, title: t, intent: i }]\n", "p");
  expect(good.plan?.units[0]).toMatchObject({ priority: 3, resource: "standard", size: "medium", dependsOn: [] });
});

test("[P1] refuses what is no YAML, too large, or full of aliases, without throwing", () => {
  expect(codes(readPlan("a: [1", "p").problems)).toEqual(["plan-unreadable"]);
  expect(codes(readPlan(`feature: ${"x".repeat(1_100_000)}`, "p").problems)).toEqual(["plan-unreadable"]);
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[..."bcdefgh"]
    .map(
      (name, i) =>
        `${name}: &${name} [${Array(10)
          .fill(`*${String.fromCharCode(97 + i)}`)
          .join(",")}]`,
    )
    .join("\n")}\n`;
  expect(codes(readPlan(bomb, "p").problems)).toEqual(["plan-unreadable"]);
});

test("[P2] refuses duplicate ids, unknown dependencies, self edges and cycles, printing the cycle", () => {
  expect(codes(check([unit("a"), unit("a", { touches: { creates: ["b"] } })]).problems)).toContain(
    "plan-duplicate-unit",
  );
  expect(codes(check([unit("a", { dependsOn: ["x"] })]).problems)).toEqual(["plan-unknown-dependency"]);
  expect(codes(check([unit("a", { dependsOn: ["a"] })]).problems)).toEqual(["plan-cycle"]);
  const { problems } = check([
    unit("a", { dependsOn: ["c"] }),
    unit("b", { dependsOn: ["a"] }),
    unit("c", { dependsOn: ["b"] }),
  ]);
  expect(problems[0]?.message).toContain("a → c → b → a");
});

test("[P3] wants a unit for every requirement and a requirement for every name", () => {
  const requirements = [
    { id: "R1", text: "x" },
    { id: "R2", text: "y" },
  ];
  const { problems } = check([unit("a", { requirements: ["R1", "R9"] })], { requirements });
  expect(codes(problems)).toEqual(["plan-unknown-requirement", "plan-uncovered-requirement"]);
});

test("[P4] wants a command that shows a unit is done; the checks of its acceptance count and are run", () => {
  expect(codes(check([unit("a", { verify: [] })]).problems)).toEqual(["plan-no-check"]);
  const acceptance = [{ id: "A1", given: "g", when: "w", then: "t", check: "true" }];
  const { plan } = check([unit("a", { verify: ["test -f a.txt", "true"], acceptance })]);
  expect(plan?.units[0]?.verify).toEqual(["test -f a.txt", "true"]);
});

test("[P5] refuses claims outside the repository and units that claim nothing", () => {
  for (const path of ["../x", "/etc/passwd", "a/../../b", ".git/config", "sub/.GIT/hooks/x", "a\\b", "C:/x"]) {
    expect(pathProblem(path), path).toBeDefined();
  }
  expect(pathProblem("src/**/*.ts")).toBeUndefined();
  expect(codes(check([unit("a", { touches: {} })]).problems)).toEqual(["plan-claims-nothing"]);
});

test("[P6] refuses one path that two units create, and warns of claims that fit nothing", () => {
  const twice = check([unit("a", { touches: { creates: ["x"] } }), unit("b", { touches: { creates: ["x"] } })]);
  expect(codes(twice.problems)).toEqual(["plan-creates-twice"]);
  const { plan, problems } = check([unit("a", { touches: { owns: ["nowhere/*.js"], creates: ["README.md"] } })], {
    files: ["README.md"],
  });
  expect(plan).toBeDefined();
  expect(codes(problems)).toEqual(["plan-creates-existing", "plan-claim-empty"]);
});

test("[P7] wants a dependency on the unit that provides what another needs", () => {
  const first = unit("a", { provides: ["contract"] });
  expect(codes(check([first, unit("b", { needs: ["contract"] })]).problems)).toContain("plan-unmet-need");
  expect(check([first, unit("b", { needs: ["contract"], dependsOn: ["a"] })]).plan).toBeDefined();
});

test("[P8] gives unordered units a lock in common where one owns what the other writes, and only there", () => {
  const owner = unit("a", { touches: { owns: ["src/x.js"] } });
  const writer = unit("b", { touches: { may: ["src/*.js"] } });
  const other = unit("c", { touches: { may: ["src/y.js"] } });
  const { plan } = check([owner, writer, other], { files: ["src/x.js", "src/y.js"] });
  const locks = Object.fromEntries(plan?.units.map((each) => [each.id, each.locks]) ?? []);
  expect(locks["a"]).toEqual(locks["b"]);
  expect(locks["a"]).toHaveLength(1);
  expect(locks["c"]).toEqual([]);
  const ordered = check([owner, { ...writer, dependsOn: ["a"] }], { files: ["src/x.js"] });
  expect(ordered.plan?.units.flatMap((each) => each.locks)).toEqual([]);
});

test("[P8] tells whether globs can meet", () => {
  expect(globsOverlap("src/a.js", "src/a.js")).toBe(true);
  expect(globsOverlap("src/a.js", "src/b.js")).toBe(false);
  expect(globsOverlap("src/", "src/deep/b.js")).toBe(true);
  expect(globsOverlap("src/**/*.ts", "src/lib/**")).toBe(true);
  expect(globsOverlap("src/**/*.ts", "docs/**")).toBe(false);
});

test("[P9] warns of plans that one agent would do as well, of large units and of crowded files", () => {
  const chain = [unit("a"), unit("b", { dependsOn: ["a"] }), unit("c", { dependsOn: ["b"], size: "large" })];
  expect(codes(check(chain).problems)).toEqual(["plan-large-unit", "plan-not-parallel"]);
  const crowd = Array.from({ length: 6 }, (_, index) => unit(`u${index}`, { touches: { may: ["index.ts"] } }));
  expect(codes(check(crowd, { files: ["index.ts"] }).problems)).toEqual(["plan-hot-file"]);
});

test("[P2] [P3] [P4] [P5] [P6] every bad plan among the examples is refused with a place", () => {
  const folder = join(examples, "fixtures/bad-plans");
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  expect(files.length).toBeGreaterThan(5);
  for (const name of files) {
    const { plan, place, problems } = readPlan(readFileSync(join(folder, name), "utf8"), name);
    const found = plan === undefined ? problems : checkPlan(plan, { files: ["README.md"], place }).problems;
    const errors = found.filter((problem) => problem.severity === "error");
    expect(errors.length, name).toBeGreaterThan(0);
    expect(errors[0]?.position?.line, name).toBeGreaterThan(1);
  }
});

test("[P8] the demo's plan passes the gates, and two of its units share a lock", () => {
  const { plan, place, problems } = readPlan(
    readFileSync(join(examples, "oauth-login/plan.yaml"), "utf8"),
    "plan.yaml",
  );
  expect(problems).toEqual([]);
  const files = [
    "src/config.js",
    "src/http.js",
    "bin/serve.js",
    "src/app.js",
    "src/routes.js",
    "CHANGELOG.md",
    "README.md",
    "package.json",
    "package-lock.json",
    "src/routes/notes.js",
    "src/caller.js",
    "test/notes.test.js",
  ];
  const gates = plan === undefined ? undefined : checkPlan(plan, { files, place });
  expect(gates?.problems.filter((problem) => problem.severity === "error")).toEqual([]);
  const locked = gates?.plan?.units.filter((each) => each.locks.length > 0).map((each) => each.id);
  expect(locked).toEqual(["settings", "hardening"]);
});

test("[P17] the reference's example passes every gate without a warning, and the page names every key", () => {
  const page = readFileSync(fileURLToPath(new URL("../../../../docs/reference/plan.md", import.meta.url)), "utf8");
  const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const { plan, place, problems } = readPlan(example, "plan.md");
  expect(problems).toEqual([]);
  const files = ["src/routes.js", "src/callback/index.js", "views/home.html", "package.json", "package-lock.json"];
  expect(plan === undefined ? [] : checkPlan(plan, { files, place }).problems).toEqual([]);
  const { properties } = planJsonSchema() as { properties: Record<string, { items?: { properties?: object } }> };
  const keys = [...Object.keys(properties), ...Object.keys(properties["units"]?.items?.properties ?? {})];
  expect(keys.length).toBeGreaterThan(15);
  expect(keys.filter((key) => !page.includes(`\`${key}\``))).toEqual([]);
});

test("[P17] the published JSON Schema is in date", () => {
  const file = fileURLToPath(new URL("../../schema/plan.schema.json", import.meta.url));
  expect(JSON.parse(readFileSync(file, "utf8")), "run `npm run schema -w packages/feature`").toEqual(planJsonSchema());
});

test("[P16] the paths that a plan regenerates lie inside the repository", () => {
  const regenerate = [{ paths: ["../lock", "a.lock"], run: "true" }];
  const text = JSON.stringify({ format: "tutti-plan/1", feature: "f", regenerate, units: [unit("a")] });
  const { plan, place } = readPlan(text, "p");
  const problems = plan === undefined ? [] : checkPlan(plan, { files: [], place }).problems;
  expect(problems).toMatchObject([{ code: "plan-path", message: expect.stringContaining("'../lock'") }]);
  const none = JSON.stringify({ format: "tutti-plan/1", feature: "f", regenerate: [{ run: "x" }], units: [unit("a")] });
  expect(codes(readPlan(none, "p").problems)).toEqual(["plan-schema"]);
});

test("[P2] ids that differ in case only would share folders on some systems", () => {
  const { problems } = check([unit("Auth"), unit("auth")]);
  expect(problems).toMatchObject([{ code: "plan-duplicate-unit", message: expect.stringContaining("'Auth'") }]);
});

test("[P5] what preparing reads and writes lies inside the repository", () => {
  const prepare = [{ run: "npm ci", inputs: ["/**"], outputs: ["../elsewhere", "node_modules"] }];
  const draft = { format: "tutti-plan/1", feature: "f", prepare, units: [unit("a")] };
  const { plan } = checkSchema(draft, () => undefined);
  if (plan === undefined) throw new Error("the schema takes it");
  expect(codes(checkPlan(plan, { files: [], place: () => undefined }).problems)).toEqual(["plan-path", "plan-path"]);
});

test("[P5] a glob that would take for ever to match is refused, and not tried", () => {
  const startedAt = performance.now();
  for (const pattern of ["*a*a*a*a*b", "**/a/**/a/**/a/**/b"]) {
    const { problems } = check([unit("a", { touches: { owns: [pattern] } })], { files: ["a".repeat(250)] });
    expect(codes(problems)).toEqual(["plan-path"]);
  }
  expect(pathProblem("packages/*/src/**/*.test.*")).toBeUndefined();
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
