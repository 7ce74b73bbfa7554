import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type StubModel, startStubModel, stubPrompt } from "@tutti/agents/testing";
import type { RunView } from "@tutti/feature";
import { afterEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { createScene, root, type Scene } from "../testing/scene.ts";

// One unit of a whole run is done by a real coding agent over ACP. Only its model is a script, and its log is read.

const scenes: Scene[] = [];
const models: StubModel[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.remove();
  for (const model of models.splice(0)) await model.close();
});

/** Where Pi's commands are. In CI it is installed; a missing one is a failure there, not a reason to skip. */
function piCommands(): string | undefined {
  const installer = join(root, "tools", "agents", "install-pi.mjs");
  const args = process.env["CI"] === "true" ? [installer] : [installer, "--find"];
  const commands = execFileSync(process.execPath, args, { encoding: "utf8" }).trim();
  return commands === "" ? undefined : commands;
}

/** Pi with the model that listens at `url`. Its configuration goes into the HOME that the cage gives it. */
function piAgent(url: string): string {
  const stub = { baseUrl: `${url}/v1`, api: "openai-completions", apiKey: "none", models: [{ id: "stub" }] };
  const settings = { defaultProvider: "stub", defaultModel: "stub", quietStartup: true };
  const start = [
    'mkdir -p "$HOME/.pi/agent"',
    `printf %s '${JSON.stringify({ providers: { stub } })}' > "$HOME/.pi/agent/models.json"`,
    `printf %s '${JSON.stringify(settings)}' > "$HOME/.pi/agent/settings.json"`,
    "PI_OFFLINE=1 exec pi-acp",
  ];
  return `acp:${JSON.stringify(["/bin/sh", "-c", start.join(" && ")])}`;
}

function unit(id: string, intent: string, rest: object = {}): object {
  const path = `parts/${id}.txt`;
  return {
    id,
    title: `Write ${path}`,
    intent,
    touches: { creates: [path] },
    verify: [`grep -qx ${id} ${path}`],
    ...rest,
  };
}

test("[X12] a real coding agent does a unit over ACP: what lands are the edits that it made itself", async (context) => {
  const commands = piCommands();
  context.skip(commands === undefined, "Pi is not installed; run: node tools/agents/install-pi.mjs");
  const scene = createScene();
  scenes.push(scene);
  const model = await startStubModel();
  models.push(model);
  const intent = stubPrompt([
    { write: { path: "parts/real.txt", content: "draft\n" } },
    { shell: "sed -i s/draft/real/ parts/real.txt && cat parts/real.txt" },
    { text: "It says what it should.\nSTATUS: COMPLETE" },
  ]);
  const units = [unit("real", intent, { agent: piAgent(model.url) }), unit("scripted", "It is there.")];
  const plan = { format: "tutti-plan/1", feature: "Two agents", requirements: [], checks: ["true"], units };
  const tasks = { scripted: [{ steps: [{ write: { path: "parts/scripted.txt", content: "scripted\n" } }] }] };
  const [planFile, script] = [join(scene.folder, "plan.yaml"), join(scene.folder, "agents.yaml")];
  writeFileSync(planFile, stringify(plan));
  writeFileSync(script, stringify({ format: "tutti-script/1", tasks }));
  const view = await scene.json<RunView>(
    ["run", "--repo", scene.repository, "--plan", planFile, "--script", script, "--network", "host", "--id", "r"],
    { timeoutMs: 120_000, environment: { PATH: `${commands}${delimiter}${process.env["PATH"]}` } },
  );
  expect(view).toMatchObject({ status: "completed", totals: { landed: 2 } });
  expect(view.units.find(({ id }) => id === "real")).toMatchObject({ attempt: 1, round: 1 });
  expect(scene.git("show", "tutti/r:parts/real.txt")).toBe("real");
  // The model asked for both steps through Pi's own tools, and saw what they did.
  const asked = model.log.filter(({ step }) => step >= 0);
  expect(asked.map(({ answer }) => answer.split(" ")[0])).toEqual(["write", "bash", "text"]);
  expect(asked.at(-1)?.results.at(-1)).toContain("real");
  const transcript = readFileSync(join(scene.state, "transcripts", "r", "real", "1.jsonl"), "utf8");
  expect(transcript).toContain("session/prompt");
  await scene.close();
});
