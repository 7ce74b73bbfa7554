import type { RunOptionsInput } from "@tutti/feature";
import { runStartedSchema } from "@tutti/protocol";
import type { Input } from "../args/input.ts";
import type { Options } from "../args/option.ts";
import type { Command, Context } from "../command.ts";
import { terminalLog } from "../owner/log.ts";
import { readerAccess, remoteAccess } from "../run/access.ts";
import { attendRun } from "../run/attend.ts";
import { type PreparedRun, prepareRun, problemLine } from "../run/prepare.ts";
import { wordsOf } from "../run/words.ts";
import { plural } from "../terminal/text.ts";

const runOptionTable: Options = {
  repo: { value: "DIR", help: "the git repository to work for (default: here)" },
  plan: { value: "FILE", help: "use this plan; without one a planner agent makes it" },
  agent: { value: "NAME", help: "a coding agent by name, cli:COMMAND or acp:COMMAND; see `tutti doctor`" },
  script: { value: "FILE", help: "script of the scripted agents" },
  base: { value: "REV", help: "branch, tag or commit to start from (default: what is checked out)" },
  "allow-dirty": { help: "start although there are changes that are not committed; they are not used" },
  approve: { help: "let a person approve the plan first" },
  "accept-partial": { help: "publish by itself once the threshold is reached, labelled partial" },
  threshold: { value: "SHARE", help: "share of the planned units that a partial result needs (default: 0.8)" },
  "max-parallel": { value: "N", help: "at most this many units at once (default: 5)" },
  attempts: { value: "N", help: "attempts of one work loop (default: 5)" },
  rounds: { value: "N", help: "how often a failed unit is tried again as a whole (default: 3)" },
  branch: { value: "NAME", help: "branch to publish (default: tutti/RUN)" },
  sandbox: { value: "KIND", help: "auto, bubblewrap, or none: your own rights (default: auto)" },
  network: { value: "KIND", help: "none, or host: let agents reach the network (default: none)" },
  env: { value: "NAME", repeated: true, help: "environment variable that agents may see" },
  id: { value: "ID", help: "name of the run (default: made from the feature)" },
  detach: { help: "return as soon as it has started" },
  foreground: { help: "own the state folder in this process; it ends with the run" },
};

export const run: Command = {
  name: "run",
  summary:
    "Makes a feature in a repository: plans it, has agents work side by side, merges, verifies, publishes a branch.",
  about:
    "Everything that can be checked is checked before anything is written. The run goes on when you close the terminal; Ctrl-C stops watching it. Your branches and files are not touched; the result is a new branch.",
  options: runOptionTable,
  arguments: [{ name: "FEATURE", help: "the request, in quotes; may be left out with --plan" }],
  examples: [
    'tutti run "dark mode" --repo ~/code/app --agent claude',
    'tutti run "dark mode" --plan plan.yaml --agent opencode --approve --detach',
  ],
  async run(context) {
    const prepared = await prepare(context);
    announce(context, prepared);
    return context.input.flag("foreground") ? runHere(context, prepared) : runThere(context, prepared);
  },
};

function prepare({ input, cwd }: Context): Promise<PreparedRun> {
  const base = input.text("base");
  const planFile = input.text("plan");
  const id = input.text("id");
  return prepareRun({
    cwd,
    feature: input.argument(0),
    repository: input.text("repo") ?? ".",
    allowDirty: input.flag("allow-dirty"),
    options: optionsFrom(input),
    ...(base === undefined ? {} : { base }),
    ...(planFile === undefined ? {} : { planFile }),
    ...(id === undefined ? {} : { id }),
  });
}

function optionsFrom(input: Input): RunOptionsInput {
  return defined({
    agent: input.text("agent"),
    script: input.text("script"),
    branch: input.text("branch"),
    maxParallel: input.number("max-parallel", { min: 1, max: 1_000 }),
    attempts: input.number("attempts", { min: 1, max: 50 }),
    rounds: input.number("rounds", { min: 1, max: 10 }),
    threshold: input.number("threshold", { min: 0, max: 1, fraction: true }),
    partial: input.flag("accept-partial") ? ("accept" as const) : undefined,
    approve: input.flag("approve") ? true : undefined,
    sandbox: input.choice("sandbox", ["auto", "bubblewrap", "none"]),
    network: input.choice("network", ["none", "host"]),
    environment: input.list("env").length === 0 ? undefined : input.list("env"),
  });
}

/** Without the entries that nobody gave. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** The first words, before anything slow: what runs, where, and what keeps the agents in. */
export function announce({ out }: Pick<Context, "out">, { start, plan, warnings, cage, scripted }: PreparedRun): void {
  const units = plan === null ? "a planner agent makes the plan" : plural(plan.units.length, "unit");
  out.note(`${start.id}: ${start.feature} (${units}) in ${start.repository.root}`);
  if (scripted) out.note("The agents are scripted: they play what their script says. Everything else is real.");
  out.note(cage);
  for (const warning of warnings) out.note(problemLine(warning));
}

async function runThere(context: Context, { start }: PreparedRun): Promise<number> {
  const { ensureOwner } = await import("../owner/find.ts");
  const since = Date.now();
  const { client } = await ensureOwner(context.state);
  const { id } = await client.ask(
    { method: "POST", path: "/v1/runs", body: start, timeoutMs: 1_800_000 },
    runStartedSchema,
  );
  const access = remoteAccess(client);
  if (!context.input.flag("detach")) return attendRun(context, access, { run: id, since });
  context.out.text(id);
  context.out.document(await access.view(id));
  context.out.note(`→ ${wordsOf(context).tutti(`status ${id} --follow`)}`);
  return 0;
}

/** Owns the state folder itself. Ctrl-C ends the owner too; the run rests until the next one. */
async function runHere(context: Context, { start }: PreparedRun): Promise<number> {
  const { openOwner } = await import("../owner/owner.ts");
  const { beginRun } = await import("../run/begin.ts");
  const { out, state } = context;
  const since = Date.now();
  const owner = await openOwner({ state, log: terminalLog((line) => out.note(line.trimEnd())) });
  let interrupted = false;
  try {
    const run = await beginRun(owner.engine, { state, start });
    const access = { live: true, ...readerAccess(owner.engine), close: async () => undefined };
    const onDetach = (): string => {
      interrupted = true;
      return `${run} rests here.\n→ ${wordsOf(context).tutti(`resume ${run}`)}`;
    };
    const status = await attendRun(context, access, { run, since, onDetach });
    return interrupted ? 7 : status;
  } finally {
    await owner.stop(interrupted ? 5_000 : 0);
  }
}
