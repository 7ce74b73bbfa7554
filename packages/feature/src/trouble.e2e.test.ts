import type { InstanceView, JsonObject } from "@tutti/kernel";
import { listWorkspaces } from "@tutti/workspace";
import { afterEach, expect, test } from "vitest";
import { openConflicts, readConflict, resolveConflict } from "./conflicts.ts";
import { failureReport } from "./failure-report.ts";
import type { Published, RunOptions } from "./model.ts";
import { type RunView, runView } from "./run-view.ts";
import type { Act } from "./testing/drive.ts";
import { type Ran, removeWorlds, runPlan } from "./testing/run-plan.ts";
import { type Files, runGit, type World } from "./testing/setup.ts";

afterEach(removeWorlds);

const write = (path: string, content: string) => ({ steps: [{ write: { path, content } }] });

interface Story {
  readonly units: readonly JsonObject[];
  readonly tasks: object;
  readonly plan?: JsonObject;
  readonly base?: Files;
  readonly options?: Partial<RunOptions>;
  readonly person?: (world: World) => readonly Act[];
}

function play({
  units,
  tasks,
  plan = {},
  base = { "README.md": "hello\n" },
  options = {},
  person,
}: Story): Promise<Ran> {
  const planned = { format: "tutti-plan/1", feature: "F", units, ...plan };
  const script = JSON.stringify({ format: "tutti-script/1", tasks });
  return runPlan(planned, { base, script, options, ...(person === undefined ? {} : { person }) });
}

function unit(id: string, rest: JsonObject = {}): JsonObject {
  const touches = { owns: [], may: [], creates: [`${id}.txt`] };
  return { id, title: `Write ${id}`, intent: `${id} is there.`, touches, verify: [`test -f ${id}.txt`], ...rest };
}

function viewOf(open: readonly InstanceView[]): RunView {
  const [root] = open;
  if (root === undefined) throw new Error("there is no run");
  return runView({ root, open: open.slice(1), jobs: [], tasks: [], failures: new Map(), now: Date.now() });
}

const published = ({ run }: Ran): Published => run.variables["published"] as unknown as Published;

const both = { owns: [], may: ["app.txt"], creates: [] };
const contested: Story = {
  base: { "app.txt": "base\n" },
  units: [
    unit("a", { touches: both, verify: ["grep -q 'from a' app.txt"] }),
    unit("b", { touches: both, verify: ["grep -q 'from b' app.txt"] }),
  ],
  tasks: { a: [write("app.txt", "from a\n")], b: [write("app.txt", "from b\n")], "resolve:app.txt": [{}] },
};

test("[F64] a conflict that nobody settles waits; a person resolves it by hand, retries, and it lands", async () => {
  const seen: RunView[] = [];
  let text: string | null = "";
  const person = ({ context }: World): readonly Act[] => [
    { action: "retry", before: async (open) => void seen.push(viewOf(open)) },
    {
      action: "retry",
      before: async (open) => {
        const repository = { gitDir: context.repository.gitDir };
        const conflicts = openConflicts(open);
        expect(conflicts.map(({ unit, path }) => [unit, path])).toEqual([["b", "app.txt"]]);
        const [conflict] = conflicts;
        if (conflict === undefined) return;
        text = await readConflict(repository, conflict);
        const decision = { run: "r1", conflict, note: "both lines" };
        await expect(resolveConflict(repository, { ...decision, content: text })).rejects.toThrow("markers");
        await resolveConflict(repository, { ...decision, content: "from a\nfrom b\n" });
      },
    },
  ];
  const ran = await play({ ...contested, person });
  expect(ran.run.outcome?.type).toBe("completed");
  expect(text).toBe("<<<<<<< ours\nfrom a\n||||||| base\nbase\n=======\nfrom b\n>>>>>>> theirs\n");
  const { branch, body, partial } = published(ran);
  expect(runGit(ran.world.source, ["show", `${branch}:app.txt`])).toBe("from a\nfrom b");
  expect(body).toContain("| `app.txt` | a × b | person | `both lines` |");
  expect(partial).toBe(false);
  const [view] = seen;
  expect(view).toMatchObject({ status: "waiting", phase: "merging", totals: { done: 1, failed: 1, landed: 1 } });
  expect(view?.needsYou).toMatchObject([{ kind: "failed-units", code: "conflict-parked", units: ["b"] }]);
  expect(view === undefined ? null : failureReport(view)).toMatchObject({
    failures: [{ unit: "b", code: "conflict-parked", message: expect.stringContaining("app.txt") }],
    kept: 1,
    next: ["conflict list --run r1", "retry r1", 'accept-partial r1 --reason "…"', "show b r1", "cancel r1"],
  });
});

test("[F64] a person goes on without the unit in conflict: the rest is published, labelled partial, with the reason", async () => {
  const ran = await play({ ...contested, person: () => [{ action: "accept" }] });
  expect(ran.run.outcome?.type).toBe("completed");
  const { branch, body, partial } = published(ran);
  expect(partial).toBe(true);
  expect(runGit(ran.world.source, ["show", `${branch}:app.txt`])).toBe("from a");
  expect(body).toContain("| b | conflict-parked |");
  expect(body).toContain("Accepted by person:test");
  expect(body).toContain("good enough");
});

const redMerge: Story = {
  units: ["a", "b", "c", "d", "bad"].map((id) => unit(id)),
  tasks: Object.fromEntries(["a", "b", "c", "d", "bad"].map((id) => [id, [write(`${id}.txt`, `${id}\n`)]])),
  plan: { checks: ["test ! -f bad.txt || ! grep -q bad bad.txt || { echo bad is bad; false; }"] },
  options: { attempts: 2, repairs: 1 },
};

test("[F65] a culprit that its repair does not help waits for a person; nothing is lost, and retrying repairs it again", async () => {
  const seen: RunView[] = [];
  const person = (): readonly Act[] => [{ action: "retry", before: async (open) => void seen.push(viewOf(open)) }];
  // Attempts 3 and 4 are the repair's; 5 is that of the round the person asked for.
  const bad = [..."1234"].map(() => write("bad.txt", "bad\n"));
  const tasks = { ...redMerge.tasks, bad: [...bad, write("bad.txt", "good\n")] };
  const ran = await play({ ...redMerge, tasks, person });
  expect(ran.run.incidents).toHaveLength(1);
  expect(ran.run.outcome?.type).toBe("completed");
  expect(published(ran)).toMatchObject({ partial: false });
  const [view] = seen;
  expect(view).toMatchObject({ status: "waiting", totals: { done: 4, failed: 1 } });
  expect(view?.units.find(({ id }) => id === "bad")).toMatchObject({
    status: "failed",
    error: { code: "work-loop-exhausted", lastLines: ["bad is bad"] },
  });
  // Its work, and that of no other unit, was done again.
  expect(ran.run.jobs.filter((job) => job === "unit.apply a")).toHaveLength(1);
  expect(ran.run.jobs.filter((job) => job === "unit.apply bad")).toHaveLength(4);
});

test("[F65] at or above the threshold a run that accepts parts goes on by itself without the culprit", async () => {
  const ran = await play({ ...redMerge, options: { ...redMerge.options, partial: "accept" } });
  expect(ran.run.incidents).toEqual([]);
  expect(ran.run.outcome?.type).toBe("completed");
  const { branch, body, partial } = published(ran);
  expect(partial).toBe(true);
  expect(runGit(ran.world.source, ["ls-tree", "--name-only", branch]).split("\n")).not.toContain("bad.txt");
  expect(body).toContain("| bad | merge-red | `The checks fail once bad is merged");
  expect(body).toContain("Accepted by the run's own rule: at least 0.8");
});

test("[F65] when no repair is left the run waits in the same way", async () => {
  const ran = await play({ ...redMerge, options: { repairs: 0 } });
  expect(ran.run.outcome).toBeNull();
  const view = viewOf(ran.run.open);
  expect(view.needsYou).toMatchObject([{ kind: "failed-units", code: "merge-red", units: ["bad"] }]);
  expect(view.needsYou[0]?.message).toContain("0 repairs were all there are");
});

test("[F34] an agent that cannot do it ends the work loop at once, and its class is the unit's failure", async () => {
  // No round but the first either, although there would be more.
  const options = { rounds: 3, attempts: 5, partial: "accept", sandbox: "none" } as const;
  const units = ["a", "b", "c", "d", "e"].map((id) => unit(id));
  const tasks = Object.fromEntries(["a", "b", "c", "d"].map((id) => [id, [write(`${id}.txt`, "x\n")]]));
  const ran = await play({
    units: units.map((each) => (each["id"] === "e" ? { ...each, agent: "cli:/nowhere/agent" } : each)),
    tasks,
    options,
  });
  expect(ran.run.jobs.filter((job) => job === "unit.apply e")).toHaveLength(1);
  expect(ran.run.jobs).not.toContain("unit.test e");
  expect(ran.run.outcome?.type).toBe("completed");
  expect(published(ran).body).toMatch(/\| e \| agent-\w+ \| /);
});

test("[F36] attempts of what was published are forgotten; finished commits, the tip and a failed unit's attempts stay", async () => {
  const units = ["a", "b", "c", "d", "e"].map((id) => unit(id));
  const tasks = Object.fromEntries(["a", "b", "c", "d"].map((id) => [id, [write(`${id}.txt`, "x\n")]]));
  const options = { rounds: 1, attempts: 1, partial: "accept" } as const;
  const ran = await play({ units, tasks: { ...tasks, e: [write("other.txt", "x\n")] }, options });
  expect(ran.run.outcome?.type).toBe("completed");
  const refs = ran.world.git("for-each-ref", "--format=%(refname)", "refs/tutti/r1").split("\n");
  expect(refs).toEqual([
    "refs/tutti/r1/base",
    ..."abcd".split("").map((id) => `refs/tutti/r1/finished/${id}`),
    "refs/tutti/r1/integration",
    "refs/tutti/r1/rounds/e/1",
    "refs/tutti/r1/units/e/1",
  ]);
  expect(await listWorkspaces(ran.world.deps.stateDir)).toEqual([]);
});

const lock = (names: readonly string[]): string => `${names.join("\n")}\n`;
const locked: Story = {
  base: { "deps/x": "x\n", "all.lock": lock(["x"]) },
  units: ["y", "z"].map((id) =>
    unit(id, { touches: { owns: [], may: ["all.lock"], creates: [`deps/${id}`] }, verify: [`test -f deps/${id}`] }),
  ),
  tasks: Object.fromEntries(
    ["y", "z"].map((id) => [
      id,
      [
        {
          steps: [
            { write: { path: `deps/${id}`, content: `${id}\n` } },
            { write: { path: "all.lock", content: lock([id]) } },
          ],
        },
      ],
    ]),
  ),
};

test("[P16] a generated file in conflict is made anew by the plan's command, on the merged tree", async () => {
  // The command is one that preparation installs, and may make the file itself meanwhile.
  const prepare = [
    { run: "mkdir -p tools && echo 'cat deps/*' > tools/lock && echo old > all.lock", outputs: ["tools"] },
  ];
  const regenerate = [{ paths: ["*.lock"], run: "test ! -e all.lock && sh tools/lock > all.lock" }];
  const ran = await play({ ...locked, plan: { prepare, regenerate, checks: ["test -f all.lock"] } });
  expect(ran.run.outcome?.type).toBe("completed");
  const { branch, body } = published(ran);
  expect(runGit(ran.world.source, ["show", `${branch}:all.lock`])).toBe("x\ny\nz");
  expect(body).toContain("| `all.lock` | y × z | regenerate | `made anew from the merged tree` |");
});

test("[P16] when the command fails, the next rung of the ladder is tried, and what it said is kept", async () => {
  const regenerate = [{ paths: ["*.lock"], run: "echo no network; exit 7" }];
  const prepare = [{ run: "test -f all.lock" }];
  const ran = await play({
    ...locked,
    plan: { prepare, regenerate },
    tasks: { ...locked.tasks, "resolve:all.lock": [{}] },
  });
  const [conflict] = openConflicts(ran.run.open);
  expect(conflict?.reasons.join("\n")).toContain(
    "regenerate: `echo no network; exit 7` ended with 7: no network; before it",
  );
});

test("[F66] below the threshold a person is asked before anything is published", async () => {
  const units = ["a", "b"].map((id) => unit(id));
  const options = { rounds: 1, attempts: 1, threshold: 0.9 };
  const tasks = { a: [write("a.txt", "x\n")], b: [{}] };
  // Answered past the command line, so that no reason was written down.
  const silent: Act = { action: "accept", silent: true };
  const approved = await play({ units, tasks, options, person: () => [silent, { action: "approve" }] });
  expect(approved.run.outcome?.type).toBe("completed");
  expect(published(approved).body).toContain("Accepted by a person: good enough");
  expect(approved.run.undeclared).toEqual([]);
  const declined = await play({ units, tasks, options, person: () => [silent, { action: "reject" }] });
  expect(declined.run.outcome).toMatchObject({ type: "failed", error: { code: "partial-rejected" } });
  expect(runGit(declined.world.source, ["branch", "--list", "tutti/*"])).toBe("");
});
