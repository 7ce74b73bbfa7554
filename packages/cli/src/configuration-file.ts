import { AppError } from "@tutti/kernel";
import { z } from "zod";
import type { Configuration } from "./configuration.ts";
import type { EngineName, TemporalPlace } from "./engines/place.ts";

const nameCharsMax = 255;

const address = z.string().regex(/^[^\s:/]+:\d{1,5}$/);
const name = z.string().min(1).max(nameCharsMax);
/** What the value of each entry is to be, in words; the entries that are objects are listed by their own. */
const expected: { readonly [path: string]: string } = {
  store: "a PostgreSQL as postgres://…",
  engine: "embedded or temporal",
  artifacts: "folder or s3://bucket/prefix",
  "orchestration.engine": "native or temporal",
  ...Object.fromEntries(
    ["temporal", "orchestration.temporal"].flatMap((path) => [
      [`${path}.address`, "host:port"],
      [`${path}.namespace`, `a name of 1 to ${nameCharsMax} characters`],
    ]),
  ),
  "temporal.taskQueue": `a name of 1 to ${nameCharsMax} characters`,
};

/**
 * The section of the configuration that Tutti's forerunners had. Of the queues there only that of the workflows is taken:
 * those of the classes follow from it. Time limits and retries are in the definitions, slots are given to the classes.
 */
const orchestrationSchema = z.strictObject({
  engine: z.enum(["native", "temporal"]).optional(),
  temporal: z
    .strictObject({
      enabled: z.boolean().optional(),
      address: address.optional(),
      namespace: name.optional(),
      task_queues: z.record(z.string(), name).optional(),
      timeouts: z.record(z.string(), z.unknown()).optional(),
      retry: z.record(z.string(), z.unknown()).optional(),
      worker: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
});

const fileSchema = z.strictObject({
  store: z.string().optional(),
  artifacts: z.string().min(1).optional(),
  engine: z.enum(["embedded", "temporal"]).optional(),
  temporal: z
    .strictObject({ address: address.optional(), namespace: name.optional(), taskQueue: name.optional() })
    .optional(),
  orchestration: orchestrationSchema.optional(),
});

/** What `tutti.json` says. Throws `configuration-invalid`: nothing of a store is shown, it may hold a password. */
export function readConfiguration(text: string, path: string): Configuration {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw invalid(path, "JSON", "it is something else");
  }
  const { data, error } = fileSchema.safeParse(given);
  const issue = error?.issues[0];
  if (issue !== undefined) throw told(issue, given, path);
  const { store, artifacts, engine, temporal, orchestration } = data as z.infer<typeof fileSchema>;
  if (orchestration !== undefined && (engine !== undefined || temporal !== undefined)) {
    throw invalid(path, "either `orchestration` or `engine` and `temporal`", "there are both");
  }
  const said = orchestration === undefined ? { engine, temporal } : fromForerunner(orchestration);
  return {
    ...(store === undefined ? {} : { store }),
    ...(artifacts === undefined ? {} : { artifacts }),
    ...(said.engine === undefined ? {} : { engine: said.engine }),
    ...(said.temporal === undefined ? {} : { temporal: defined(said.temporal) }),
  };
}

function fromForerunner({ engine, temporal }: z.infer<typeof orchestrationSchema>): {
  readonly engine: EngineName | undefined;
  readonly temporal: Loose | undefined;
} {
  const named: EngineName | undefined = engine === "native" ? "embedded" : engine;
  if (temporal === undefined) return { engine: named, temporal };
  const { enabled, task_queues: queues = {} } = temporal;
  // The first releases had no `engine`, but a switch.
  const switched: EngineName | undefined = enabled === undefined ? undefined : enabled ? "temporal" : "embedded";
  return {
    engine: named ?? switched,
    temporal: {
      address: temporal.address,
      namespace: temporal.namespace,
      taskQueue: queues["orchestrator"] ?? queues["workflows"],
    },
  };
}

type Loose = { readonly [K in keyof TemporalPlace]: TemporalPlace[K] | undefined };

function defined({ address, namespace, taskQueue }: Loose): TemporalPlace {
  return {
    ...(address === undefined ? {} : { address }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(taskQueue === undefined ? {} : { taskQueue }),
  };
}

function told(issue: z.core.$ZodIssue, given: unknown, path: string): AppError {
  const place = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const where =
      place === ""
        ? "only `store`, `artifacts`, `engine`, `temporal` and `orchestration`"
        : `only what is known in \`${place}\``;
    return invalid(path, where, `there is '${issue.keys[0]}'`);
  }
  const wanted = expected[place] ?? "an object";
  return invalid(path, `${place === "" ? "the whole" : `\`${place}\``} to be ${wanted}`, got(place, issue.path, given));
}

function got(place: string, path: readonly PropertyKey[], given: unknown): string {
  if (place === "store") return "it is something else";
  const value = path.reduce<unknown>((at, key) => (at as { readonly [key: PropertyKey]: unknown })[key], given);
  return `got ${JSON.stringify(value)?.slice(0, 60)}`;
}

function invalid(path: string, wanted: string, found: string): AppError {
  return new AppError("configuration-invalid", `Expected ${wanted}, but ${found}`, { place: path });
}
