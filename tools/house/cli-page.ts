import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readText, root } from "./source.ts";

export const cliPagePath = "docs/reference/cli.md";

interface OptionWords {
  readonly value?: string;
  readonly help: string;
  readonly short?: string;
  readonly repeated?: boolean;
}

interface ArgumentWords {
  readonly name: string;
  readonly help: string;
  readonly required?: boolean;
  readonly repeated?: boolean;
}

export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly about?: string;
  readonly options: { readonly [name: string]: OptionWords };
  readonly arguments: readonly ArgumentWords[];
  readonly examples?: readonly string[];
}

export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly CommandWords[];
}

export interface Cli {
  readonly groups: readonly CommandGroup[];
  /** What every command takes. */
  readonly everywhere: CommandWords["options"];
}

/** The command's own words, from the registry that `--help` prints. */
export async function readCli(): Promise<Cli> {
  const { commandGroups } = (await load("registry.ts")) as {
    readonly commandGroups: readonly {
      readonly title: string;
      readonly commands: readonly { load(): Promise<CommandWords> }[];
    }[];
  };
  const { globalOptions } = (await load("args/option.ts")) as { readonly globalOptions: CommandWords["options"] };
  const groups = await Promise.all(
    commandGroups.map(async ({ title, commands }) => ({
      title,
      commands: await Promise.all(commands.map((entry) => entry.load())),
    })),
  );
  return { groups, everywhere: globalOptions };
}

function load(file: string): Promise<unknown> {
  return import(pathToFileURL(join(root, "packages/cli/src", file)).href);
}

/** The whole reference page. */
export function cliPage({ groups, everywhere }: Cli): string {
  const parts = [
    "# Commands",
    "<!-- Written by `npm run docs:cli` from the commands' own help; a test holds it in date. -->",
    "Within a checkout, read `tutti` as `npm run tutti --`. A run may be named by its first or last letters, or left out when one is open. stdout is data, stderr is progress. What an exit status means stands in [errors](errors.md#exit-status).",
    contents(groups),
    "## Everywhere",
    optionTable(everywhere),
  ];
  for (const { title, commands } of groups) {
    parts.push(`## ${title}`, ...commands.flatMap(commandParts));
  }
  return `${parts.join("\n\n")}\n`;
}

export function readCliPage(): string {
  return readText(cliPagePath);
}

function contents(groups: readonly CommandGroup[]): string {
  const rows = groups.map(
    ({ title, commands }) =>
      `| ${title} | ${commands.map(({ name }) => `[${name}](#tutti-${name.replaceAll(" ", "-")})`).join(", ")} |`,
  );
  return ["| | commands |", "|---|---|", ...rows].join("\n");
}

function commandParts(command: CommandWords): string[] {
  const places = command.arguments.map(({ name, required, repeated }) => {
    const label = repeated === true ? `${name}…` : name;
    return required === true ? label : `[${label}]`;
  });
  const parts = [
    `### tutti ${command.name}`,
    command.summary,
    `\`\`\`\n${["tutti", command.name, ...places, "[options]"].join(" ")}\n\`\`\``,
  ];
  if (command.about !== undefined) parts.push(command.about);
  if (command.arguments.length > 0) {
    const rows = command.arguments.map(({ name, help }) => `| ${code(name)} | ${cell(help)} |`);
    parts.push(["| argument | |", "|---|---|", ...rows].join("\n"));
  }
  if (Object.keys(command.options).length > 0) parts.push(optionTable(command.options));
  if (command.examples !== undefined && command.examples.length > 0) {
    parts.push(`\`\`\`\n${command.examples.join("\n")}\n\`\`\``);
  }
  return parts;
}

function optionTable(options: CommandWords["options"]): string {
  const rows = Object.entries(options).map(([name, { value, short, repeated, help }]) => {
    const long = value === undefined ? `--${name}` : `--${name} ${value}${repeated === true ? "…" : ""}`;
    return `| ${code(short === undefined ? long : `-${short}, ${long}`)} | ${cell(help)} |`;
  });
  return ["| option | |", "|---|---|", ...rows].join("\n");
}

/** A bar would end the cell, also within backticks. */
function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
