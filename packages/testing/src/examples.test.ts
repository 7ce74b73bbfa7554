import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Problems, readYaml } from "@tutti/definition/reading";
import type { JsonObject } from "@tutti/kernel";
import { expect, test } from "vitest";
import type { Answers } from "./answers.ts";
import { checkDefinition } from "./check-definition.ts";
import { expectCrashProof } from "./crash.ts";
import { instantAfter } from "./duration.ts";
import { type LoadedDefinition, loadDefinition } from "./load-definition.ts";
import { readAnswers } from "./read-answers.ts";
import { openTrial } from "./trial.ts";

const folder = fileURLToPath(new URL("../../../examples/processes/", import.meta.url));

interface Expected {
  /** `line:column severity code`. */
  readonly findings: readonly string[];
  readonly cases: { readonly [name: string]: Case };
}

interface Case {
  readonly variables: JsonObject;
  readonly status: string;
  readonly result?: JsonObject;
  /** Code of the error that it failed with. */
  readonly error?: string;
  readonly incidents?: readonly string[];
  /** From the start to the last thing that happened. */
  readonly after: string;
  readonly path: readonly string[];
}

function read<T>(path: string): T {
  const [document] = readYaml(readFileSync(path, "utf8"), new Problems(path));
  return document?.value as T;
}

async function load(name: string): Promise<LoadedDefinition> {
  const file = readdirSync(`${folder}${name}`).find((each) => each.startsWith("process."));
  return loadDefinition(`${folder}${name}/${file}`);
}

function answersOf(name: string, story: string, { programs }: LoadedDefinition): Answers {
  const path = `${folder}${name}/${story}.answers.yaml`;
  const { answers, problems } = readAnswers(readFileSync(path, "utf8"), { file: path, programs });
  expect(problems).toEqual([]);
  return answers ?? { answers: {}, publish: [] };
}

const examples = readdirSync(folder).filter((name) => existsSync(`${folder}${name}/expected.yaml`));
const stories = examples.flatMap((name) =>
  Object.entries(read<Expected>(`${folder}${name}/expected.yaml`).cases).map(
    ([story, told]) => [name, story, told] as const,
  ),
);

test.each(examples)(
  "[T51] the checks find in %s what it says, and every file of answers has its story",
  async (name) => {
    const loaded = await load(name);
    const { findings, cases } = read<Expected>(`${folder}${name}/expected.yaml`);
    const found = checkDefinition(loaded, name).map(
      ({ position: { line, column }, severity, code }) => `${line}:${column} ${severity} ${code}`,
    );
    expect(found).toEqual(findings);
    const files = readdirSync(`${folder}${name}`).filter((file) => file.endsWith(".answers.yaml"));
    expect(files.map((file) => file.replace(".answers.yaml", ""))).toEqual(Object.keys(cases).sort());
  },
);

test.each(stories)("[T51] %s, %s: it goes as it says", async (name, story, told) => {
  const loaded = await load(name);
  const answers = answersOf(name, story, loaded);
  const trial = await openTrial({ programs: loaded.programs, answers });
  const begun = trial.now;
  const instance = await trial.start({ variables: told.variables });
  await trial.finish();
  const { status, outcome } = instance.view;
  instance.expectPath(told.path).expectIncidents(...(told.incidents ?? []));
  expect(status).toBe(told.status);
  expect(outcome).toEqual(outcome === null ? null : expect.objectContaining(outcomeOf(told)));
  expect(trial.lastEventAt).toBe(instantAfter(begun, told.after));
  expect([trial.unused(), trial.refusals]).toEqual([[], []]);
});

function outcomeOf({ status, result, error }: Case): object {
  return status === "completed"
    ? { type: status, result }
    : { type: status, error: expect.objectContaining({ code: error }) };
}

test.each(stories)("[T51] %s, %s: and again whenever it crashes", async (name, story, { variables }) => {
  const loaded = await load(name);
  const answers = answersOf(name, story, loaded);
  const crashes = await expectCrashProof({ programs: loaded.programs, answers }, async (trial) => {
    await trial.start({ variables });
    await trial.finish();
  });
  expect(crashes).toBeGreaterThan(4);
});

test("[T52] the tests of the guide run under node:test", async () => {
  const args = ["--conditions=@tutti/source", "--test", `${folder}customer-onboarding/onboarding.test.ts`];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: "" } });
  expect(stdout).toMatch(/pass 3\b/);
  expect(stdout).toMatch(/fail 0\b/);
});
