import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppError } from "@tutti/kernel";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asEnvironment, configured } from "./configuration.ts";
import { wholePlace } from "./engines/place.ts";
import { stateFolder } from "./state.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tutti-configuration-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Given {
  /** Content of `tutti.json`; a text as it is. */
  readonly file?: unknown;
  readonly environment?: { readonly [name: string]: string };
  readonly engine?: string;
}

async function read({ file, environment = {}, engine }: Given) {
  if (file !== undefined) {
    writeFileSync(join(folder, "tutti.json"), typeof file === "string" ? file : JSON.stringify(file));
  }
  const options = { store: undefined, engine };
  const { store, temporal, artifacts, ...state } = await configured(stateFolder(folder, {}, "/"), {
    options,
    environment,
  });
  return { store, engine: state.engine, temporal, artifacts };
}

async function refusal(given: Given): Promise<string> {
  try {
    await read(given);
  } catch (error) {
    const { code, message, place = "" } = error as AppError;
    return `${place.replace(folder, "")} ${code}: ${message}`.trim();
  }
  return "taken";
}

test("[C100] the engine is the option's, else the environment's, else the file's", async () => {
  expect(await read({})).toEqual({});
  const file = { engine: "temporal", temporal: { address: "here:7233", namespace: "ours", taskQueue: "conducted" } };
  expect(await read({ file })).toEqual(file);
  const environment = { TUTTI_ENGINE: "embedded", TEMPORAL_NAMESPACE: "theirs", TEMPORAL_ADDRESS: "" };
  const { engine, temporal } = await read({ environment });
  expect({ engine, temporal }).toEqual({ engine: "embedded", temporal: { ...file.temporal, namespace: "theirs" } });
  expect((await read({ environment, engine: "temporal" })).engine).toBe("temporal");
});

test("[C100] a process that is started gets the same, in its environment", async () => {
  const said = await read({
    file: {
      ...{ store: "postgres://one/two", artifacts: "s3://bucket", engine: "temporal" },
      temporal: { address: "here:7233", taskQueue: "q" },
    },
  });
  const { temporal = {} } = said;
  const environment = asEnvironment({
    ...{ store: "postgres://one/two", artifacts: "s3://bucket", engine: "temporal", temporal },
  });
  rmSync(join(folder, "tutti.json"));
  expect(await read({ environment })).toEqual(said);
});

test("[C100] what is wrong is said with place, expected and actual, and nothing of a store is shown", async () => {
  const wrong: readonly (readonly [Given, string])[] = [
    [{ file: "{ secret" }, "Expected JSON, but it is something else"],
    [{ file: [] }, "Expected the whole to be an object, but got []"],
    [{ file: { engine: "steam" } }, 'Expected `engine` to be embedded or temporal, but got "steam"'],
    [{ file: { store: ["secret"] } }, "Expected `store` to be a PostgreSQL as postgres://…, but it is something else"],
    [{ file: { artifacts: 1 } }, "Expected `artifacts` to be folder or s3://bucket/prefix, but got 1"],
    [{ file: { temporal: "secret:1" } }, 'Expected `temporal` to be an object, but got "secret:1"'],
    [{ file: { temporal: { address: "here" } } }, 'Expected `temporal.address` to be host:port, but got "here"'],
    [{ file: { temporal: { queue: "q" } } }, "Expected only what is known in `temporal`, but there is 'queue'"],
    [
      { file: { color: 1 } },
      "Expected only `store`, `artifacts`, `engine`, `temporal` and `orchestration`, but there is 'color'",
    ],
    [
      { file: { orchestration: { engine: "embedded" } } },
      'Expected `orchestration.engine` to be native or temporal, but got "embedded"',
    ],
    [
      { file: { engine: "temporal", orchestration: {} } },
      "Expected either `orchestration` or `engine` and `temporal`, but there are both",
    ],
  ];
  for (const [given, message] of wrong) {
    expect(await refusal(given)).toBe(`/tutti.json configuration-invalid: ${message}`);
  }
  rmSync(join(folder, "tutti.json"));
  mkdirSync(join(folder, "tutti.json"));
  expect(await refusal({})).toContain("configuration-invalid");
  rmSync(join(folder, "tutti.json"), { recursive: true });
  expect(await refusal({ environment: { TUTTI_ENGINE: "steam" } })).toContain("configuration-invalid: Expected $TUTTI");
  expect(await refusal({ engine: "steam" })).toBe(
    "option-invalid: Expected --engine to be embedded or temporal, but got 'steam'",
  );
});

test("[C105] the store of artifacts is the environment's, else the file's", async () => {
  expect((await read({ file: { artifacts: "folder" } })).artifacts).toBe("folder");
  expect((await read({ environment: { TUTTI_ARTIFACTS: "s3://bucket" } })).artifacts).toBe("s3://bucket");
  expect((await read({ environment: { TUTTI_ARTIFACTS: "" } })).artifacts).toBe("folder");
});

test("[C101] the section of the forerunners' configuration is taken for what it says", async () => {
  const temporal = {
    address: "temporal.example.com:7233",
    namespace: "aidp",
    task_queues: { orchestrator: "aidp-orchestrator", agent_light: "aidp-agent-light" },
    timeouts: { workflow_execution: 86_400 },
    retry: { agent: { maximum_attempts: 3 } },
    worker: { max_concurrent_activities: 10 },
  };
  const taken = { address: temporal.address, namespace: "aidp", taskQueue: "aidp-orchestrator" };
  const file = (engine?: string, enabled?: boolean): unknown => ({
    orchestration: { engine, temporal: { ...temporal, enabled } },
  });
  expect(await read({ file: file("native") })).toEqual({ engine: "embedded", temporal: taken });
  expect(await read({ file: file("temporal") })).toEqual({ engine: "temporal", temporal: taken });
  expect(await read({ file: file(undefined, true) })).toMatchObject({ engine: "temporal" });
  expect(await read({ file: file(undefined, false) })).toMatchObject({ engine: "embedded" });
  expect(await read({ file: { orchestration: {} } })).toEqual({});
});

test("[C100] nobody comes upon the queue of a log that lies in a folder; a log in common has one in common", () => {
  const [one, two] = ["/one", "/two"].map((path) => wholePlace(undefined, { path }));
  expect(one).toMatchObject({ address: "127.0.0.1:7233", namespace: "default" });
  expect(one?.taskQueue).not.toBe(two?.taskQueue);
  const store = "postgres://one/two";
  expect(wholePlace({}, { path: "/one", store })).toEqual(wholePlace({}, { path: "/two", store }));
  expect(wholePlace({ taskQueue: "q" }, { path: "/one" }).taskQueue).toBe("q");
});
