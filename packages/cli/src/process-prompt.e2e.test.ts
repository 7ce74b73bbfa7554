import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeUnless } from "@tutti/test-servers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CliHouse } from "./testing/cli-house.ts";

const { status, stdout: version } = spawnSync("script", ["--version"], { encoding: "utf8" });
const isThere = status === 0 && version.includes("util-linux");

describeUnless(isThere ? undefined : "terminals are made by util-linux's `script`", "at a terminal", () => {
  let house: CliHouse;
  let order: string;

  beforeAll(async () => {
    house = await CliHouse.open();
    order = join(house.folder, "order.yaml");
    await writeFile(
      order,
      `
process: order
outputs: [receipt, approved]
steps:
  charge: { job: payment.charge, out: [receipt] }
  approve: { user: "Send it?", out: [approved] }
`,
    );
  });
  afterAll(() => house.close());

  test("[C39] a person is asked for a job and a task, again where the answer cannot be read", async () => {
    const running = house.startAtTerminal(["process", "run", order]);
    const type = (line: string) => running.child.stdin?.write(`${line}\n`);
    await running.sees(/charge.*: job payment\.charge[^>]*> /);
    type("about 3");
    await running.sees(/about 3[^>]*> /);
    type('{"receipt": "R1"}');
    await running.sees(/approve.*: Send it\?[^>]*> /);
    type('{"approved": true}');
    const { exit, stdout } = await running.done;
    expect([exit, stdout]).toEqual([0, expect.stringMatching(/"receipt":"R1".*"approved":true/)]);
  });

  test("[C37, C39] Ctrl-C at the prompt ends the trial and says what it waits for", async () => {
    const running = house.startAtTerminal(["process", "run", order]);
    await running.sees(/charge.*: job payment\.charge[^>]*> /);
    running.child.stdin?.write("\u0003");
    const { exit, stdout } = await running.done;
    expect([exit, stdout]).toEqual([7, expect.stringMatching(/\^C[\s\S]*charge/)]);
  });
});
