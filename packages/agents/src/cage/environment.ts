import { join } from "node:path";
import type { CagedCommand, CageOptions } from "./cage.ts";

// The host's environment is full of keys and of settings that steer programs (NODE_OPTIONS, GIT_DIR, LD_PRELOAD).
// A started program sees this list, what its adapter sets, and what a flag of the user named; nothing else.
const passedOn = ["LANG", "LC_ALL", "LC_CTYPE", "TZ", "PATH"];

/** Where a program's HOME and temporary files are, inside its scratch directory. */
export function homeOf(scratch: string): string {
  return join(scratch, "home");
}
export function temporaryOf(scratch: string): string {
  return join(scratch, "tmp");
}

export function environmentFor(command: CagedCommand, options: CageOptions): { [name: string]: string } {
  const environment: { [name: string]: string } = {
    LANG: "C.UTF-8",
    TERM: "dumb",
    USER: "agent",
    LOGNAME: "agent",
    SHELL: "/bin/sh",
  };
  for (const name of passedOn) copy(environment, name);
  environment["HOME"] = homeOf(command.scratch);
  environment["TMPDIR"] = temporaryOf(command.scratch);
  Object.assign(environment, command.environment);
  for (const name of options.environment ?? []) copy(environment, name);
  return environment;
}

function copy(environment: { [name: string]: string }, name: string): void {
  const value = process.env[name];
  if (value !== undefined) environment[name] = value;
}
