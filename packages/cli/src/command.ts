import type { Described } from "./args/help.ts";
import type { Input } from "./args/input.ts";
import type { StateFolder } from "./state.ts";
import type { Output } from "./terminal/output.ts";

/** What a command meets: its own words, where to write, and which state folder is meant. */
export interface Context {
  readonly input: Input;
  readonly out: Output;
  readonly state: StateFolder;
  readonly environment: { readonly [name: string]: string | undefined };
  /** Absolute; relative paths of the person start here. */
  readonly cwd: string;
  /** Aborts on the first Ctrl-C; the command decides what that means. */
  readonly interrupt: AbortSignal;
}

/** One command, one file. `run` gives the exit status; errors are thrown. */
export interface Command extends Described {
  run(context: Context): Promise<number>;
}
