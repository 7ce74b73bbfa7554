import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunView } from "@tutti/feature";
import { afterEach, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { createScene, examples, type Scene } from "../testing/scene.ts";

// Every fixture of examples/fixtures/misbehaving is one unit of one run, beside one unit whose agent behaves.

const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.remove();
});

/** What the report says of each unit that fails. */
const failures: { readonly [name: string]: RegExp } = {
  crash: /agent-crashed/,
  hang: /agent-silent/,
  flood: /agent-flooded/,
  "exit-nonzero": /agent-failed.*status 3/,
  "garbage-output": /agent-protocol/,
  "false-claim": /grep -qx done parts\/false-claim\.txt \(exit 1\)/,
  "outside-claim": /outside-claim: .*README\.md/,
  "symlink-escape": /symlink-escape: .*parts\/link\.txt/,
};
const harmless = ["leave-child", "outside-tree"];

interface Document {
  readonly units?: readonly object[];
  readonly tasks?: { readonly [task: string]: readonly object[] };
}

function fixture(name: string, file: string): Document {
  const text = readFileSync(join(examples, "fixtures", "misbehaving", name, file), "utf8");
  return parse(text.replaceAll("only", name)) as Document;
}

function everybody(scene: Scene): readonly string[] {
  const names = [...Object.keys(failures), ...harmless];
  const [plans, scripts] = ["plan.yaml", "agents.yaml"].map((file) => names.map((name) => fixture(name, file)));
  const good = fixture("false-claim", "plan.yaml").units?.[0];
  const goodUnit = parse(stringify(good).replaceAll("false-claim", "good")) as object;
  const plan = { ...plans?.[0], feature: "One good agent among others", units: [goodUnit] };
  plan.units.push(...(plans ?? []).flatMap(({ units = [] }) => units));
  const goodTask = [{ steps: [{ write: { path: "parts/good.txt", content: "done\n" } }] }];
  const tasks = Object.assign({ good: goodTask }, ...(scripts ?? []).map((script) => script.tasks));
  const [planFile, script] = [join(scene.folder, "plan.yaml"), join(scene.folder, "agents.yaml")];
  writeFileSync(planFile, stringify(plan));
  writeFileSync(script, stringify({ format: "tutti-script/1", tasks }));
  const limits = ["--attempts", "1", "--rounds", "1", "--agent-silence", "2", "--max-parallel", "6"];
  return ["run", "--repo", scene.repository, "--plan", planFile, "--script", script, "--id", "r", ...limits];
}

test.each(["auto", "none"])(
  "[X9] agents that misbehave, sandbox %s: each fails as what it did, nothing leaks, the others are kept",
  async (sandbox) => {
    const scene = createScene();
    scenes.push(scene);
    const parked = await scene.tutti([...everybody(scene), "--sandbox", sandbox], { timeoutMs: 120_000 });
    expect(parked.exit, parked.stderr).toBe(8);
    for (const [name, reason] of Object.entries(failures)) {
      const line = parked.stdout.split("\n").find((each) => each.includes(`✗ ${name}: `));
      expect(line, name).toMatch(reason);
    }
    const view = await scene.json<RunView>(["status"]);
    const done = view.units.filter(({ status }) => status === "done").map(({ id }) => id);
    expect(done.sort()).toEqual(["good", ...harmless]);
    expect(scene.processes()).toEqual([]);
    expect(scene.workspaces()).toEqual([]);

    expect((await scene.tutti(["accept-partial", "r", "--reason", "the rest is for tomorrow"])).exit).toBe(0);
    expect(await scene.json<RunView>(["wait"])).toMatchObject({ status: "completed", published: { partial: true } });
    // Nothing that a bad agent left elsewhere came along.
    expect(scene.git("diff", "--name-only", "main", "tutti/r").split("\n")).toEqual([
      "parts/good.txt",
      "parts/leave-child.txt",
      "parts/outside-tree.txt",
    ]);
    expect(existsSync(join(scene.folder, "outside.txt"))).toBe(false);
    await scene.close();
  },
);

test("[X9] what an attempt does wrong is told to the next one, which repairs it, and the unit lands", async () => {
  const scene = createScene();
  scenes.push(scene);
  const folder = join(examples, "fixtures", "misbehaving", "outside-claim");
  const script = parse(readFileSync(join(folder, "agents.yaml"), "utf8")) as { tasks: { only: object[] } };
  const original = readFileSync(join(scene.repository, "README.md"), "utf8");
  script.tasks.only.push({ steps: [{ write: { path: "README.md", content: original } }] });
  writeFileSync(join(scene.folder, "agents.yaml"), stringify(script));
  const files = ["--plan", join(folder, "plan.yaml"), "--script", join(scene.folder, "agents.yaml"), "--id", "r"];
  const view = await scene.json<RunView>(["run", "--repo", scene.repository, ...files]);
  expect(view).toMatchObject({ status: "completed", totals: { landed: 1 }, units: [{ attempt: 2 }] });
  expect(scene.git("diff", "--name-only", "main", "tutti/r")).toBe("parts/only.txt");
});
