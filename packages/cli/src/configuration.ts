import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@tutti/kernel";
import { type EngineName, engineNames, type TemporalPlace } from "./engines/place.ts";
import type { StateFolder } from "./state.ts";

/** What a person may say about what runs where; the first of option, environment and file that says something counts. */
export interface Configuration {
  readonly store?: string;
  readonly engine?: EngineName;
  readonly temporal?: TemporalPlace;
  /** Of artifacts: `folder`, or `s3://bucket/prefix?…`. */
  readonly artifacts?: string;
}

interface Said {
  /** Of the command's options. */
  readonly options: { readonly store: string | undefined; readonly engine: string | undefined };
  readonly environment: { readonly [name: string]: string | undefined };
}

/**
 * The folder with the store and the engine that are meant: what is given, else what the environment says, else what
 * `tutti.json` in the folder does. Throws `configuration-invalid`, and `option-invalid` for what the options say.
 */
export async function configured(state: StateFolder, { options, environment }: Said): Promise<StateFolder> {
  const file = await read(join(state.path, "tutti.json"));
  const store = nonEmpty(options.store) ?? nonEmpty(environment["TUTTI_STORE"]) ?? file.store;
  const engine = givenEngine(options.engine) ?? saidEngine(environment) ?? file.engine;
  const artifacts = nonEmpty(environment["TUTTI_ARTIFACTS"]) ?? file.artifacts;
  const said = placeIn(environment);
  const temporal = file.temporal === undefined && said === undefined ? undefined : { ...file.temporal, ...said };
  return {
    ...state,
    ...(store === undefined ? {} : { store }),
    ...(engine === undefined ? {} : { engine }),
    ...(temporal === undefined ? {} : { temporal }),
    ...(artifacts === undefined ? {} : { artifacts }),
  };
}

/** For a process that this one starts: all of it, in its environment. An option could be read by everybody. */
export function asEnvironment(configuration: Configuration): { readonly [name: string]: string } {
  const { store, engine, temporal = {}, artifacts } = configuration;
  const said = {
    TUTTI_ARTIFACTS: artifacts,
    TUTTI_STORE: store,
    TUTTI_ENGINE: engine,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    TEMPORAL_TASK_QUEUE: temporal.taskQueue,
  };
  return Object.fromEntries(Object.entries(said).filter((each): each is [string, string] => each[1] !== undefined));
}

/** The names of Temporal's own tools. */
function placeIn(environment: Said["environment"]): TemporalPlace | undefined {
  const [address, namespace, taskQueue] = ["ADDRESS", "NAMESPACE", "TASK_QUEUE"].map((name) =>
    nonEmpty(environment[`TEMPORAL_${name}`]),
  );
  if (address === undefined && namespace === undefined && taskQueue === undefined) return undefined;
  return {
    ...(address === undefined ? {} : { address }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(taskQueue === undefined ? {} : { taskQueue }),
  };
}

function givenEngine(text: string | undefined): EngineName | undefined {
  return text === undefined ? undefined : engineNamed(text, { code: "option-invalid", what: "--engine" });
}

function saidEngine(environment: Said["environment"]): EngineName | undefined {
  const text = nonEmpty(environment["TUTTI_ENGINE"]);
  return text === undefined ? undefined : engineNamed(text, { code: "configuration-invalid", what: "$TUTTI_ENGINE" });
}

function engineNamed(text: string, { code, what }: { readonly code: string; readonly what: string }): EngineName {
  const engine = engineNames.find((name) => name === text);
  if (engine !== undefined) return engine;
  throw new AppError(code, `Expected ${what} to be ${engineNames.join(" or ")}, but got '${text}'`);
}

async function read(path: string): Promise<Configuration> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return {};
    throw new AppError("configuration-invalid", `Expected ${path} to be a file, but it cannot be read`);
  }
  // Nearly nobody has one, and every command would wait for it to load.
  const { readConfiguration } = await import("./configuration-file.ts");
  return readConfiguration(text, path);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}
