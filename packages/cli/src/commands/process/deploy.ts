import { resolve } from "node:path";
import type { Deployment, VersionRow } from "@tutti/engine";
import { AppError, type ProgramDocument } from "@tutti/kernel";
import type { Deploy } from "@tutti/protocol";
import { mainProcess, runnable, startsPlainly } from "@tutti/testing";
import type { Command, Context } from "../../command.ts";
import { ensureOwner } from "../../owner/find.ts";
import { type Finding, showFindings } from "../../process/findings.ts";
import { loadProcess, withOption } from "../../process/load.ts";
import { queryAll } from "../../process/owner-calls.ts";
import { wordsOf } from "../../run/words.ts";
import { quote } from "../../terminal/text.ts";

export const processDeploy: Command = {
  name: "process deploy",
  summary: "Makes a process known to the state folder; from then on it can be started.",
  about:
    "FILEs given together are bound to each other: a process calls the version that it was deployed with. What runs already goes on as it began; new instances get what was deployed last, unless a rollout says otherwise. Jobs that no worker here does wait, and are done with `tutti process job`.",
  options: {
    ...withOption,
    percent: {
      value: "N",
      help: "give the new version to so many of the new instances only, the former to the others",
    },
  },
  arguments: [
    { name: "FILE", help: "YAML, BPMN, or a TypeScript module, which is run", required: true, repeated: true },
  ],
  examples: ["tutti process deploy order.yaml", "tutti process deploy order.bpmn payment.bpmn --percent 10"],
  async run(context) {
    const { input, out } = context;
    const percent = input.number("percent", { min: 0, max: 100, fraction: true });
    const { programs, findings } = await load(context);
    const { client } = await ensureOwner(context.state);
    const before = await queryAll(client, "versions");
    const body: Deploy = {
      programs,
      ...(percent === undefined ? {} : { rollout: rolloutOf(programs, before, percent) }),
    };
    const deployment = (await client.json({ method: "POST", path: "/v1/deployments", body })) as Deployment;
    out.document({ ...deployment, findings });
    tell(context, { programs, deployment, before });
    return 0;
  },
};

async function load(context: Context): Promise<{
  readonly programs: readonly ProgramDocument[];
  readonly findings: readonly Finding[];
}> {
  const { input, cwd, out } = context;
  const programs: ProgramDocument[] = [];
  const findings: Finding[] = [];
  for (const file of input.arguments()) {
    const loaded = await loadProcess(context, resolve(cwd, file));
    programs.push(...runnable(loaded, file));
    findings.push(...loaded.problems);
    showFindings(out, file, loaded.problems);
  }
  return { programs, findings };
}

/** The share of the process of the files that is new under another version; there must be just one. */
function rolloutOf(
  programs: readonly ProgramDocument[],
  before: readonly VersionRow[],
  percent: number,
): NonNullable<Deploy["rollout"]> {
  const found = programs.flatMap(({ id: process, version: candidate }) => {
    const rows = before.filter((row) => row.process === process && row.version !== candidate);
    const stable = rows.toSorted((a, b) => b.percent - a.percent)[0]?.version;
    return stable === undefined ? [] : [{ process, plan: { stable, candidate, percent } }];
  });
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const what = only === undefined ? "none" : found.map(({ process }) => process).join(", ");
  throw new AppError(
    "option-invalid",
    `Expected --percent with one process that is deployed in another version already, but there is ${what}`,
  );
}

interface Deployed {
  readonly programs: readonly ProgramDocument[];
  readonly deployment: Deployment;
  readonly before: readonly VersionRow[];
}

function tell(context: Context, { programs, deployment, before }: Deployed): void {
  const { out } = context;
  for (const { process, version, hash } of deployment.programs) {
    const same = before.find((row) => row.process === process && row.version === version);
    const known = same?.hash === hash ? ", as it was" : "";
    out.text(`Deployed ${process}@${version} (${hash.replace(/^sha256-/, "").slice(0, 12)})${known}.`);
    if (same !== undefined && same.hash !== hash) {
      out.note(
        `${process}@${version} was there with another content: what runs of it goes on unchanged. A version of its own tells them apart.`,
      );
    }
  }
  const main = programs.find(({ id }) => id === mainProcess(programs));
  if (main === undefined) return;
  const { tutti } = wordsOf(context);
  const engine = context.input.text("engine");
  const there = engine === undefined ? "" : ` --engine ${engine}`;
  out.note(
    startsPlainly(main)
      ? `→ ${tutti(`process start ${quote(main.id)}${there}`)}`
      : "It begins with a message, signal or timer.",
  );
}
