import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { commandHelp, mainHelp } from "./args/help.ts";
import { commandEntries, commandGroups } from "./registry.ts";

const execute = promisify(execFile);
const main = fileURLToPath(new URL("main.ts", import.meta.url));

test("[C16] the README's table has every command with the words of --help", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| `tutti ([a-z-]+)` \| (.+) \|$/gm)].map(([, name, summary]) => [name, summary]);
  expect(rows).toEqual(commandEntries.map(({ name, summary }) => [name, summary]));
  const help = mainHelp(commandGroups);
  for (const { name, summary } of commandEntries) {
    expect(help.split("\n").map((line) => line.trim().replace(/ {2,}/, ": "))).toContain(`${name}: ${summary}`);
  }
});

test.each(commandEntries.map((entry) => [entry.name, entry] as const))(
  "'%s' is what the registry says",
  async (name, entry) => {
    const command = await entry.load();
    expect(command.name).toBe(name);
    const help = commandHelp(command);
    for (const option of Object.keys(command.options)) expect(help).toContain(`--${option}`);
    for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(140);
  },
);

test("[C27] --help loads next to nothing", async () => {
  const time = async (args: readonly string[]): Promise<number> => {
    const startedAt = performance.now();
    await execute(process.execPath, [...args]);
    return performance.now() - startedAt;
  };
  const best = async (args: readonly string[]): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) times.push(await time(args));
    return Math.min(...times);
  };
  const bare = await best(["-e", "0"]);
  const help = await best(["--conditions=@tutti/source", main, "--help"]);
  expect(help - bare).toBeLessThan(150);
});
