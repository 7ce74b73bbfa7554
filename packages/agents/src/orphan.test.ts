import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { ProcessGroup } from "./agent.ts";
import { endProcessGroup, membersOf } from "./process/group.ts";
import { bench, bubblewrapHere, eventually } from "./testing/setup.ts";

// An owner of its own process, killed as `kill -9` would: what becomes of the agent it had started?

const here = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
const owner = `
  import { writeFileSync } from "node:fs";
  const { selectCage } = await import(${here("./select.ts")});
  const { scriptedAgent } = await import(${here("./scripted/scripted.ts")});
  const { parseAgentScript } = await import(${here("./scripted/script.ts")});
  const [sandbox, folder, workspace] = process.argv.slice(1);
  const steps = [{ write: { path: "started.txt", content: "" } }, { delayMs: 60000 }];
  const script = { format: "tutti-script/1", tasks: { u: [{ steps }] } };
  const task = { kind: "implement", id: "u", attempt: 1, tier: "standard", prompt: "", input: {}, workspace };
  const cage = await selectCage({ sandbox, bundled: true });
  await scriptedAgent(parseAgentScript(JSON.stringify(script), "s")).run(task, {
    signal: new AbortController().signal, progress: () => undefined, cage,
    scratch: folder + "/scratch", transcript: folder + "/transcript.jsonl",
    limits: { wallMs: 60000, outputBytesMax: 1000000 },
    onSpawn: (group) => writeFileSync(folder + "/group.json", JSON.stringify(group)),
  });`;

async function killOwner(sandbox: "bubblewrap" | "none") {
  const place = bench();
  const args = [
    "--conditions=@tutti/source",
    "--input-type=module",
    "-e",
    owner,
    sandbox,
    place.folder,
    place.workspace,
  ];
  const child = spawn(process.execPath, args, { stdio: "ignore", env: process.env });
  expect(await eventually(() => existsSync(join(place.workspace, "started.txt")), 15_000)).toBe(true);
  const group = JSON.parse(readFileSync(join(place.folder, "group.json"), "utf8")) as ProcessGroup;
  expect(membersOf(group).length).toBeGreaterThan(0);
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
  return { place, group };
}

const bubblewrap = await bubblewrapHere();

describe.skipIf(process.platform !== "linux")("an owner that was killed (Linux)", () => {
  test("[A18] without a cage its agent goes on as an orphan, until whoever recovers ends the recorded group", async () => {
    const { place, group } = await killOwner("none");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(membersOf(group).length).toBeGreaterThan(0);
    expect(await endProcessGroup(group)).toMatchObject({ left: 0 });
    expect(membersOf(group)).toEqual([]);
    place.remove();
  });

  test.skipIf(bubblewrap === undefined)("[A18] in the cage its agent ends with it", async () => {
    const { place, group } = await killOwner("bubblewrap");
    expect(await eventually(() => membersOf(group).length === 0)).toBe(true);
    expect(await endProcessGroup(group)).toEqual({ ended: 0, left: 0 });
    place.remove();
  });
});
