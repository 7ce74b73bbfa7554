import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { selectAgent } from "./select.ts";
import { bench } from "./testing/setup.ts";

test("[A53] an agent is chosen by kind and command, or by the name of a known one", async () => {
  const here = bench();
  const file = join(here.folder, "s.yaml");
  writeFileSync(file, "format: tutti-script/1\ntasks:\n  unit-1:\n    - {}\n");
  expect(await selectAgent(`scripted:${file}`)).toMatchObject({ bundled: true, agent: { name: "scripted" } });
  expect(await selectAgent("claude")).toMatchObject({ bundled: false, agent: { name: "claude" } });
  const code =
    "process.stdin.resume();process.stdin.on('end',()=>console.log(JSON.stringify({success:true,summary:'a b'})))";
  const { agent, bundled } = await selectAgent(`cli:${JSON.stringify([process.execPath, "-e", code])}`);
  expect(bundled).toBe(false);
  expect(await agent.run(here.task(), here.context)).toMatchObject({ ok: true, summary: "a b" });
  expect((await selectAgent("acp:some agent --acp")).bundled).toBe(false);
  here.remove();
});

test.each(["nobody", "magic:wand", "cli:", "cli:[1]", "cli:[broken"])("[A53] '%s' is refused", async (name) => {
  await expect(selectAgent(name)).rejects.toMatchObject({ code: "agent-unknown" });
});
