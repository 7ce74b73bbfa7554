#!/usr/bin/env node
// The process edge: finds the command, gives it its context, and turns what it throws into words and an exit status.
// What is imported here is loaded by every call, so it is next to nothing.

import { enableCompileCache } from "node:module";
import { commandGroups } from "./registry.ts";

// Node keeps the compiled code of what is loaded from here on: the second call starts in half the time.
enableCompileCache();

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    if (name === "help" && rest[0] !== undefined) return main([...rest, "--help"]);
    const { mainHelp } = await import("./args/help.ts");
    process.stdout.write(mainHelp(commandGroups));
    return name === undefined ? 2 : 0;
  }
  if (name === "--version" || name === "-V" || name === "version") {
    const { version } = await import("./version.ts");
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const family = commandGroups.find(({ commands }) => commands.some((command) => command.name.startsWith(`${name} `)));
  if (family !== undefined && (rest[0] === undefined || rest[0] === "--help" || rest[0] === "-h")) {
    const { familyHelp } = await import("./args/help.ts");
    process.stdout.write(familyHelp(name, family));
    return rest[0] === undefined ? 2 : 0;
  }
  const { runCommand } = await import("./run-command.ts");
  return runCommand(name, rest);
}

// A reader that has seen enough (`tutti log | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
});

process.exitCode = await main(process.argv.slice(2));
