import { resolve } from "node:path";
import { parseAgentDefinition, parseAgentScript } from "@tutti/agents";
import { compile } from "@tutti/definition";
import { checkPlan, type PlanProblem, readPlan } from "@tutti/feature";
import { AppError } from "@tutti/kernel";
import type { Command } from "../command.ts";
import { errorsOf, type Finding, showFindings } from "../process/findings.ts";
import { readBytes } from "../run/prepare.ts";
import { plural } from "../terminal/text.ts";

interface Validated {
  readonly kind: "plan" | "definition" | "agent script" | "agent";
  /** What is in it, for a person. */
  readonly holds: string;
  readonly problems: readonly Finding[];
}

export const validate: Command = {
  name: "validate",
  summary: "Checks a file by its content: process definition, plan, agent script or agent file. Shows every problem.",
  options: {},
  arguments: [{ name: "FILE", help: "the file", required: true }],
  examples: ["tutti validate process.yaml", "tutti validate plan.yaml --json"],
  async run({ input, out, cwd }) {
    const file = input.argument(0) ?? "";
    const bytes = await readBytes(resolve(cwd, file));
    const { kind, holds, problems } = check(bytes, file);
    const errors = errorsOf(problems);
    out.document({ file, kind, valid: errors.length === 0, problems });
    showFindings(out, file, problems);
    const verdict = errors.length === 0 ? "is valid" : `has ${plural(errors.length, "error")}`;
    out.text(`${file} ${verdict} (${kind}${holds === "" ? "" : `: ${holds}`}).`);
    return errors.length === 0 ? 0 : 2;
  },
};

function check(bytes: Uint8Array, file: string): Validated {
  const text = new TextDecoder().decode(bytes);
  if (/^---\r?$/m.test(text.slice(0, 5)) && file.endsWith(".md")) return checkAgent(text, file);
  const format =
    /^["']?format["']?\s*:\s*["']?(tutti-[a-z]+)\/\d/m.exec(text)?.[1] ??
    /"format"\s*:\s*"(tutti-[a-z]+)\//.exec(text)?.[1];
  if (format === "tutti-plan") return checkPlanFile(text, file);
  if (format === "tutti-script") return checkScript(text, file);
  return checkDefinition(bytes, file);
}

function checkPlanFile(text: string, file: string): Validated {
  const reading = readPlan(text, file);
  if (reading.plan === undefined) return { kind: "plan", holds: "", problems: reading.problems };
  const { problems } = checkPlan(reading.plan, { files: [], place: reading.place });
  // What depends on the repository's files is for `tutti plan` to say.
  const known = problems.filter(({ code }: PlanProblem) => code !== "plan-claim-empty");
  return { kind: "plan", holds: plural(reading.plan.units.length, "unit"), problems: known };
}

/** As bytes: a drawing says itself how it is encoded. */
function checkDefinition(bytes: Uint8Array, file: string): Validated {
  const { programs, problems } = compile(bytes, { file });
  const holds = programs.map(({ id, version }) => `${id}@${version}`).join(", ");
  return { kind: "definition", holds, problems };
}

function checkScript(text: string, file: string): Validated {
  return attempt("agent script", file, () => {
    const script = parseAgentScript(text, file);
    return plural(script.tasks.size, "task");
  });
}

function checkAgent(text: string, file: string): Validated {
  return attempt("agent", file, () => parseAgentDefinition(text, file).id);
}

/** For readers that throw the first thing they find. */
function attempt(kind: Validated["kind"], file: string, read: () => string): Validated {
  try {
    return { kind, holds: read(), problems: [] };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const [, line = "1", column = "1"] = /:(\d+):(\d+)$/.exec(error.place ?? "") ?? [];
    const position = { file, line: Number(line), column: Number(column) };
    return { kind, holds: "", problems: [{ code: error.code, severity: "error", message: error.message, position }] };
  }
}
