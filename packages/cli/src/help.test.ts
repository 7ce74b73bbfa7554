import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { commandHelp, mainHelp } from "./args/help.ts";
import { commandEntries, commandGroups } from "./registry.ts";

const execute = promisify(execFile);
const main = fileURLToPath(new URL("main.ts", import.meta.url));

test("[C16] the reference page has every command, in the order and with the words of --help", async () => {
  const page = await readFile(new URL("../../../docs/reference/cli.md", import.meta.url), "utf8");
  const sections = page.split(/^### tutti /m).slice(1);
  const commands = await Promise.all(commandEntries.map((entry) => entry.load()));
  expect(sections.map((section) => section.split("\n").slice(0, 3))).toEqual(
    commands.map(({ name, summary }) => [name, "", summary]),
  );
  for (const [index, { options }] of commands.entries()) {
    for (const option of Object.keys(options)) expect(sections[index]).toContain(`--${option}`);
  }
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

/** Writes the name of each file to stderr as it is loaded. */
const hooks = `
  import { registerHooks } from "node:module";
  registerHooks({
    load(url, context, next) {
      if (url.startsWith("file:")) process.stderr.write(url + "\\n");
      return next(url, context);
    },
  });`;
const telling = ["--conditions=@tutti/source", `--import=data:text/javascript,${encodeURIComponent(hooks)}`];
const flags = [...telling, main];

test("[C27] --help loads next to nothing: no other package, and of this one only what it prints", async () => {
  const { stderr } = await execute(process.execPath, [...flags, "--help"]);
  const loaded = stderr.split("\n").filter((line) => line.startsWith("file:"));
  expect(loaded.map((url) => url.replace(/^.*packages\/cli\/src\//, "")).toSorted()).toEqual([
    "args/help.ts",
    "args/option.ts",
    "main.ts",
    "registry.ts",
  ]);
});

test("[C27] a run says its first words before anything heavy is loaded", async () => {
  const failed = await execute(process.execPath, [...flags, "run", "--repo", "/no/such/folder"]).catch(
    (error) => error,
  );
  const lines = (failed as { readonly stderr: string }).stderr.split("\n");
  const words = lines.findIndex((line) => line.startsWith("Checking the repository"));
  const heavy = lines.findIndex((line) =>
    /packages\/(engine|feature|workspace|agents|definition|protocol)\//.test(line),
  );
  expect(words).toBeGreaterThan(0);
  expect(heavy).toBeGreaterThan(words);
});

test("[C102] an owner on the embedded engine loads nothing of Temporal or S3", async () => {
  const owner = new URL("owner/owner.ts", import.meta.url).href;
  const { stderr } = await execute(process.execPath, [...telling, "--eval", `await import(${JSON.stringify(owner)})`]);
  const loaded = stderr.split("\n");
  expect(loaded).toContain(owner);
  expect(loaded.filter((url) => /@temporalio|@aws-sdk|engine\/src\/temporal/.test(url))).toEqual([]);
});
