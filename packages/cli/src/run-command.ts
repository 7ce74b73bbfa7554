import { AppError } from "@tutti/kernel";
import { commandHelp } from "./args/help.ts";
import { nearest } from "./args/nearest.ts";
import { parse } from "./args/parse.ts";
import type { Context } from "./command.ts";
import { configured } from "./configuration.ts";
import { problemOf } from "./problem.ts";
import { type CommandEntry, commandEntries } from "./registry.ts";
import { stateFolder } from "./state.ts";
import { Output } from "./terminal/output.ts";

/** Runs one command of this process. Never rejects: what goes wrong is printed, and is the exit status. */
export async function runCommand(name: string, argv: readonly string[]): Promise<number> {
  // Also for errors in the arguments themselves, so it cannot wait until they are parsed.
  const words = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : argv.length);
  const out = new Output({
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    json: words.includes("--json"),
    quiet: words.includes("--quiet") || words.includes("-q"),
    noColor: words.includes("--no-color"),
  });
  const cwd = process.cwd();
  let state = stateFolder(undefined, process.env, cwd);
  try {
    const { entry, rest } = find(name, argv);
    const command = await entry.load();
    const input = parse(command, rest);
    if (input.flag("help")) {
      process.stdout.write(commandHelp(command));
      return 0;
    }
    state = stateFolder(input.text("state"), process.env, cwd);
    const options = { store: input.text("store"), engine: input.text("engine") };
    state = await configured(state, { options, environment: process.env });
    const interrupt = interruptSignal();
    if (input.flag("wait")) state = { ...state, patience: { signal: interrupt, tell: (words) => out.note(words) } };
    return await command.run({
      input,
      out,
      cwd,
      state,
      environment: process.env,
      interrupt,
    } satisfies Context);
  } catch (error) {
    const problem = await problemOf(error);
    const { asTyped, wordsOf } = await import("./run/words.ts");
    const words = wordsOf({ out, state, environment: process.env, cwd });
    // A script reads the advice of the table; a person can paste what stands here.
    out.problem(out.json ? problem : { ...problem, advice: asTyped(problem.advice, words) });
    return problem.exit;
  }
}

/** A command has one word or two, as `process start`. */
function find(
  name: string,
  argv: readonly string[],
): { readonly entry: CommandEntry; readonly rest: readonly string[] } {
  const one = commandEntries.find((candidate) => candidate.name === name);
  if (one !== undefined) return { entry: one, rest: argv };
  const [word, ...rest] = argv;
  const given = word === undefined || word.startsWith("-") ? name : `${name} ${word}`;
  const two = commandEntries.find((candidate) => candidate.name === given);
  if (two !== undefined) return { entry: two, rest };
  const known = commandEntries.map((candidate) => candidate.name);
  const family = known.filter((each) => each.startsWith(`${name} `));
  const meant = family.length > 0 ? meantIn(family, given, known) : (nearest(given, known) ?? nearest(name, known));
  const hint = meant === undefined ? "" : `; did you mean '${meant}'?`;
  throw new AppError("command-unknown", `There is no command '${given}'${hint}`);
}

/** Of commands whose first word is the same, by the second; or that is a command by itself. */
function meantIn(family: readonly string[], given: string, known: readonly string[]): string | undefined {
  const [first = "", second = ""] = given.split(" ");
  if (known.includes(second)) return second;
  const meant = nearest(
    second,
    family.map((each) => each.slice(first.length + 1)),
  );
  return meant === undefined ? undefined : `${first} ${meant}`;
}

/**
 * Aborts on the first Ctrl-C or request to end. The second one ends the process at once, whatever it does: a person
 * who asks twice means it.
 */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(7);
    controller.abort(signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  return controller.signal;
}
