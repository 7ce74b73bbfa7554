import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { bubblewrapCage } from "../cage/bubblewrap.ts";
import type { Cage } from "../cage/cage.ts";
import { homeOf } from "../cage/environment.ts";
import { uncaged } from "../cage/none.ts";
import { type Bench, bench, bubblewrapHere } from "../testing/setup.ts";
import { type StubModel, type StubStep, startStubModel, stubPrompt } from "../testing/stub-model.ts";
import { acpAgent } from "./acp-agent.ts";
import { agentPreset } from "./presets.ts";

// A real coding agent, installed from npm, whose model is a script. What lands in the workspace it wrote itself.

const installer = fileURLToPath(new URL("../../../../tools/agents/install-pi.mjs", import.meta.url));

function piCommands(): string | undefined {
  // In CI a missing agent is a failure, not a reason to skip.
  const args = process.env["CI"] === "true" ? [installer] : [installer, "--find"];
  const commands = execFileSync(process.execPath, args, { encoding: "utf8" }).trim();
  return commands === "" ? undefined : commands;
}

const commands = piCommands();
const bubblewrap = await bubblewrapHere();
const cages: readonly Cage[] = [
  uncaged(),
  // The stub model listens on the host's loopback, so this agent is given the host's network, by name.
  ...(bubblewrap === undefined ? [] : [bubblewrapCage(bubblewrap, { network: "host" })]),
];

function configure(here: Bench, model: StubModel): void {
  const folder = join(homeOf(here.context.scratch), ".pi", "agent");
  mkdirSync(folder, { recursive: true });
  const stub = { baseUrl: `${model.url}/v1`, api: "openai-completions", apiKey: "none", models: [{ id: "stub" }] };
  writeFileSync(join(folder, "models.json"), JSON.stringify({ providers: { stub } }));
  const settings = { defaultProvider: "stub", defaultModel: "stub", quietStartup: true };
  writeFileSync(join(folder, "settings.json"), JSON.stringify(settings));
}

async function runPi(cage: Cage, steps: readonly StubStep[]) {
  const here = bench({ cage, limits: { wallMs: 60_000, silenceMs: 30_000 } });
  const model = await startStubModel();
  configure(here, model);
  writeFileSync(join(here.workspace, "greeting.txt"), "hello world\n");
  const preset = agentPreset("pi");
  const path = `${commands}${delimiter}${process.env["PATH"]}`;
  const agent = acpAgent({ ...preset, environment: { ...preset.environment, PATH: path, PI_OFFLINE: "1" } });
  const outcome = await agent.run(here.task({ prompt: stubPrompt(steps) }), here.context);
  await model.close();
  return { here, model, outcome };
}

const why = "Pi is not installed; run: node tools/agents/install-pi.mjs";
describe.skipIf(commands === undefined)(
  `acp with a real coding agent${commands === undefined ? ` (${why})` : ""}`,
  () => {
    test.each(cages)("[A20] Pi does a unit, cage $kind: every change comes from its own tools", async (cage) => {
      const { here, model, outcome } = await runPi(cage, [
        { write: { path: "src/new.txt", content: "written by the agent\n" } },
        { edit: { path: "greeting.txt", old: "world", new: "Tutti" } },
        { shell: "cat greeting.txt > copy.txt" },
        { text: "All done.\nSTATUS: COMPLETE" },
      ]);
      expect(outcome).toMatchObject({ ok: true, claim: "completed" });
      expect(readFileSync(join(here.workspace, "src/new.txt"), "utf8")).toBe("written by the agent\n");
      expect(readFileSync(join(here.workspace, "greeting.txt"), "utf8")).toBe("hello Tutti\n");
      expect(readFileSync(join(here.workspace, "copy.txt"), "utf8")).toBe("hello Tutti\n");
      expect(readdirSync(here.workspace).sort()).toEqual(["copy.txt", "greeting.txt", "src"]);
      const scripted = model.log.filter(({ step }) => step >= 0);
      expect(scripted.map(({ answer }) => answer.split(" ")[0])).toEqual(["write", "edit", "bash", "text"]);
      expect(scripted.at(-1)?.results).toHaveLength(3);
      expect(here.progress.filter(({ type }) => type === "tool").length).toBeGreaterThanOrEqual(3);
      expect(here.left()).toEqual([]);
      here.remove();
    });

    test("[A21] Pi ends its turn as if all were well when its model fails; we do not believe it", async () => {
      const { here, model, outcome } = await runPi(uncaged(), [{ fail: 400 }]);
      expect(model.log.some(({ answer }) => answer === "fail 400")).toBe(true);
      expect(JSON.stringify(here.transcript())).toContain('"stopReason":"end_turn"');
      expect(outcome).toMatchObject({ ok: false, code: "agent-failed", retryable: true });
      here.remove();
    });

    test("[A10] cancel ends Pi and the processes it started", async () => {
      const here = bench({ limits: { wallMs: 60_000, silenceMs: 30_000 } });
      const model = await startStubModel();
      configure(here, model);
      const path = `${commands}${delimiter}${process.env["PATH"]}`;
      const agent = acpAgent({ ...agentPreset("pi"), environment: { PATH: path, PI_OFFLINE: "1" } });
      const running = agent.run(here.task({ prompt: stubPrompt([{ hang: true }]) }), here.context);
      const until = Date.now() + 20_000;
      while (model.log.length === 0 && Date.now() < until) await new Promise((wait) => setTimeout(wait, 50));
      expect(model.log).toHaveLength(1);
      const before = Date.now();
      here.cancel.abort("cancelled");
      expect(await running).toMatchObject({ ok: false, code: "agent-cancelled" });
      expect(Date.now() - before).toBeLessThan(5_000);
      expect(here.left()).toEqual([]);
      await model.close();
      here.remove();
    });
  },
);
