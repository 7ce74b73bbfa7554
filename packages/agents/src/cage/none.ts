import { dirname } from "node:path";
import type { Cage, CagedCommand, CageOptions, Launch } from "./cage.ts";
import { environmentFor } from "./environment.ts";
import { requireProgram } from "./program.ts";

/**
 * No isolation: the program has the user's own rights, only its environment is cut down and its HOME moved (name
 * `HOME` in `environment` to give it the real one). For bundled scripted agents, and for others only when the user
 * said `--sandbox none`.
 */
export function uncaged(options: Pick<CageOptions, "environment"> = {}): Cage {
  return {
    kind: "none",
    description: "No sandbox: it runs with your own rights on this machine.",
    launch: async (command: CagedCommand): Promise<Launch> => {
      const environment = environmentFor(command, options);
      // Programs written for node find the one that runs us, wherever it is installed.
      environment["PATH"] = `${environment["PATH"] ?? "/usr/bin:/bin"}:${dirname(process.execPath)}`;
      const [name = "", ...args] = command.argv;
      return { file: await requireProgram(name, environment["PATH"]), args, cwd: command.cwd, environment };
    },
  };
}
