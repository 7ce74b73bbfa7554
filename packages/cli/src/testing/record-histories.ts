import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join, parse } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startTemporalServer, temporalFolder } from "@tutti/engine/testing/temporal";
import { CliHouse } from "./cli-house.ts";

/*
 * Records what Temporal remembers of an instance of each definition in test/temporal-histories, by the command and the
 * workflow that people have, with all languages of expressions. Run for a release, under its number:
 * `node --conditions=@tutti/source packages/cli/src/testing/record-histories.ts 0.1`. What was recorded once is never
 * recorded again.
 */

const [release = "0.0"] = process.argv.slice(2);
const definitions = fileURLToPath(new URL("../../test/temporal-histories/", import.meta.url));
const folder = join(definitions, release);
const variables = ["--vars", JSON.stringify({ total: 150, seconds: 1 })];

const server = await startTemporalServer();
const namespace = server.namespace();
const environment = { TUTTI_ENGINE: "temporal", TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: namespace };
const house = await CliHouse.open(environment);

async function tutti(...args: readonly string[]): Promise<void> {
  const { exit, stderr } = await house.tutti(...args);
  if (exit !== 0) throw new Error(`tutti ${args.join(" ")}: ${stderr}`);
}

try {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(definitions)) {
    const { name: process, ext } = parse(name);
    const path = join(folder, `${process}.json`);
    if (![".yaml", ".bpmn"].includes(ext) || existsSync(path)) continue;
    await tutti("process", "deploy", join(definitions, name));
    await tutti("process", "start", process, "--id", process, ...variables);
    await tutti("process", "wait", process, "--timeout", "60");
    const asked = ["workflow", "show", "--workflow-id", process, "--output", "json"];
    const where = ["--address", server.address, "--namespace", namespace];
    const { stdout } = await promisify(execFile)(join(temporalFolder(), "temporal"), [...asked, ...where]);
    await writeFile(path, stdout, { flag: "wx" });
  }
} finally {
  await house.close();
  await server.stop();
}
