import type { RunOptionsInput } from "@tutti/feature";
import { type RunStarted, runStartedSchema, type StartRun } from "@tutti/protocol";
import type { Input } from "../args/input.ts";
import type { Context } from "../command.ts";
import { patiently } from "../engines/patience.ts";
import { type OwnerClient, startMsMax } from "../owner/client.ts";
import { ensureOwner } from "../owner/find.ts";
import { terminalLog } from "../owner/log.ts";
import { plural } from "../terminal/text.ts";
import { readerAccess, remoteAccess } from "./access.ts";
import { attendRun } from "./attend.ts";
import { type PreparedRun, prepareRun, problemLine } from "./prepare.ts";
import { wordsOf } from "./words.ts";

/** `tutti run`: checks, starts, watches; gives the exit status. */
export async function startRun(context: Context): Promise<number> {
  const prepared = await prepare(context);
  announce(context, prepared);
  return context.input.flag("foreground") ? runHere(context, prepared) : runThere(context, prepared);
}

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
    agentTimeoutMs: milliseconds(input.number("agent-timeout", { min: 1, max: 86_400 })),
    agentSilenceMs: milliseconds(input.number("agent-silence", { min: 1, max: 3_600 })),
    checkTimeoutMs: milliseconds(input.number("check-timeout", { min: 1, max: 86_400 })),
    threshold: input.number("threshold", { min: 0, max: 1, fraction: true }),
    partial: input.flag("accept-partial") ? ("accept" as const) : undefined,
    approve: input.flag("approve") ? true : undefined,
    sandbox: input.choice("sandbox", ["auto", "bubblewrap", "none"]),
    network: input.choice("network", ["none", "host"]),
    environment: input.list("env").length === 0 ? undefined : input.list("env"),
  });
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1_000;
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
  const since = Date.now();
  const { client } = await ensureOwner(context.state);
  const { id } = await beginThere(client, start);
  const access = remoteAccess(client);
  if (!context.input.flag("detach")) return attendRun(context, access, { run: id, since });
  context.out.text(id);
  context.out.document(await access.view(id));
  context.out.note(`→ ${wordsOf(context).tutti(`status ${id} --follow`)}`);
  return 0;
}

export function beginThere(client: OwnerClient, start: StartRun): Promise<RunStarted> {
  return client.ask({ method: "POST", path: "/v1/runs", body: start, timeoutMs: startMsMax }, runStartedSchema);
}

/** Owns the state folder itself. Ctrl-C ends the owner too; the run rests until the next one. */
async function runHere(context: Context, { start }: PreparedRun): Promise<number> {
  const { openOwner } = await import("../owner/owner.ts");
  const { beginRun } = await import("./begin.ts");
  const { out, state } = context;
  const since = Date.now();
  const owner = await openOwner({ state, log: terminalLog((line) => out.note(line.trimEnd())) });
  let interrupted = false;
  try {
    const run = await patiently(state.patience, () => beginRun(owner.engine, { state, start, sharing: owner.sharing }));
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
