import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { describeWithTemporal, temporalFolder } from "@tutti/engine/testing/temporal";
import { afterEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { CliHouse, type RunningCli, until } from "./testing/cli-house.ts";
import { choosePorts } from "./up/ports.ts";

describeWithTemporal("tutti up", () => {
  const houses: CliHouse[] = [];
  afterEach(async () => {
    for (const house of houses.splice(0)) await house.close();
  });

  async function up(house: CliHouse): Promise<RunningCli> {
    const running = house.start(["up"]);
    await running.sees(/process start PROCESS --engine temporal/, 120_000);
    return running;
  }

  test("[C107] runs a server and works for it; Ctrl-C and stop leave no process, and what is open goes on", async () => {
    const path = [temporalFolder(), process.env["PATH"] ?? ""].join(delimiter);
    const house = await CliHouse.open({ PATH: path, TUTTI_ENGINE: "temporal" });
    houses.push(house);
    const noted = join(house.state, "temporal", "ports.json");
    await mkdir(dirname(noted), { recursive: true });
    // The usual ones may be free at this moment, and another test be about to take them.
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    await writeFile(noted, JSON.stringify({ port, ui: port }));
    // A folder without anything of Tutti's own would not be taken.
    await writeFile(join(house.state, "tutti.json"), "{}");
    const first = await up(house);
    const ports = JSON.parse(await readFile(noted, "utf8")) as { readonly port: number; readonly ui: number };
    taken.close();
    expect(ports.port).not.toBe(port);
    await first.sees(new RegExp(`TEMPORAL_ADDRESS=127.0.0.1:${ports.port}\\b`), 1_000);
    expect((await fetch(`http://127.0.0.1:${ports.ui}/`)).status).toBe(200);
    const file = join(house.folder, "ask.yaml");
    await writeFile(file, stringify({ process: "ask", steps: { choose: { user: { title: "Which?" } } } }));
    expect((await house.tutti("process", "deploy", file)).exit).toBe(0);
    await house.json("process", "start", "ask", "--id", "one");
    first.child.kill("SIGKILL");
    await first.done;

    const second = await up(house);
    expect(JSON.parse(await readFile(noted, "utf8"))).toEqual(ports);
    expect((await house.tutti("task", "complete", "one:1", "--result", "{}")).exit).toBe(0);
    expect((await house.tutti("process", "wait", "one")).exit).toBe(0);
    second.child.kill("SIGINT");
    const ended = await second.done;
    expect(ended.exit, ended.stderr).toBe(0);
    expect(ended.stdout).toContain(`web UI http://127.0.0.1:${ports.ui}`);
    expect(await house.strangers()).toEqual([]);

    const third = await up(house);
    await house.json("process", "start", "ask", "--id", "two");
    expect((await house.tutti("stop")).stdout).toMatch(/1 open instance can go on\.\n→ tutti up\b/);
    expect(await house.strangers().then((pids) => pids.filter((pid) => pid !== third.child.pid))).toEqual([]);
    expect((await third.done).exit).toBe(0);
    await until(async () => (await house.strangers()).length === 0, 5_000);
  });

  test("[C107] a server that is configured is taken, or said to be away", async () => {
    const house = await CliHouse.open({ TEMPORAL_ADDRESS: "127.0.0.1:1" });
    houses.push(house);
    const { exit, stderr } = await house.tutti("up");
    expect(exit).toBe(1);
    expect(stderr).toContain("temporal-unreachable");
  });

  test("[C107] the ports of a folder are those of the last time, as long as they are free", async () => {
    const house = await CliHouse.open();
    houses.push(house);
    const ports = await choosePorts(house.state);
    expect(await choosePorts(house.state)).toEqual(ports);
  });
});
