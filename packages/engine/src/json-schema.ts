import { createContext, Script } from "node:vm";
import type { Json, JsonObject } from "@tutti/kernel";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";

/**
 * How long a value may take to be checked. A pattern, references in a circle or a list of unique items can cost anything,
 * so that no limit on their size would bound them; what is honest takes well under a millisecond.
 */
const checkMsMax = 1_000;
/** Schemas whose checks are kept ready. */
const checksKeptMax = 200;

/** Where a value does not fit: `keyword` asks for `expected` there, and `message` says so in words. */
export interface Misfit {
  /** As `.address.street` or `[0]`; empty: the value itself. */
  readonly place: string;
  readonly keyword: string;
  readonly expected: Json;
  readonly actual: Json;
  /** Reads on after the place: "must be boolean". */
  readonly message: string;
}

export type Check = (value: JsonObject) => Misfit | undefined;

/** By the text of the schema. */
const checks: Map<string, Check | null> = new Map();

/** Null: it is no JSON Schema of draft 2020-12 or 07, or refers to what is elsewhere. */
export function checkOf(schema: JsonObject): Check | null {
  const text = JSON.stringify(schema);
  const kept = checks.get(text);
  if (kept !== undefined) return kept;
  const validate = compiled(schema);
  const check: Check | null = validate === null ? null : (value) => misfitOf(validate, value);
  if (checks.size >= checksKeptMax) checks.clear();
  checks.set(text, check);
  return check;
}

function compiled(schema: JsonObject): ValidateFunction | null {
  // What is referred to is not copied to each place: ten lines could become gigabytes of code.
  const options = { strict: false, verbose: true, logger: false, ownProperties: true, inlineRefs: false } as const;
  const ajv = String(schema["$schema"]).includes("draft-07") ? new Ajv(options) : new Ajv2020(options);
  formats.default(ajv);
  try {
    return ajv.compile(schema);
  } catch {
    return null;
  }
}

/** Only what a script of its own calls can be stopped when it takes too long. */
const box: { run?: () => unknown } = {};
const script: Script = new Script("run()");
createContext(box);

function misfitOf(validate: ValidateFunction, value: JsonObject): Misfit | undefined {
  box.run = () => validate(value);
  try {
    if (script.runInContext(box, { timeout: checkMsMax }) === true) return undefined;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    const message = `must be such that it can be checked within ${checkMsMax} ms`;
    return { place: "", keyword: "time", expected: checkMsMax, actual: null, message };
  }
  // The last is the outermost: that it fits none of several, not how it misses each. Of `if` what follows from it says more.
  const error = validate.errors?.filter(({ keyword }) => keyword !== "if").at(-1);
  return error === undefined ? undefined : shown(error);
}

function shown({ instancePath, keyword, params, schema, data, message = "" }: ErrorObject): Misfit {
  const extra = params["additionalProperty"] ?? params["unevaluatedProperty"];
  const steps = instancePath.split("/").slice(1);
  const path = steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const place = [...path, ...(extra === undefined ? [] : [String(extra)])].map(placed).join("");
  const allowed = params["allowedValues"] ?? params["allowedValue"];
  return {
    ...{ place, keyword, expected: schema as Json },
    actual: (extra === undefined ? data : (data as JsonObject)[String(extra)]) as Json,
    message: allowed === undefined ? message : `${message}: ${JSON.stringify(allowed)}`,
  };
}

function placed(step: string): string {
  return /^\d+$/.test(step) ? `[${step}]` : `.${step}`;
}
