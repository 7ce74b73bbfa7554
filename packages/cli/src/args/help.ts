import { globalOptions, type Option, type Options } from "./option.ts";
import type { Syntax } from "./parse.ts";

export interface Described extends Syntax {
  readonly summary: string;
  /** Paragraphs below the usage line. */
  readonly about?: string;
  readonly examples?: readonly string[];
}

const widthMax = 100;

export function commandHelp(command: Described): string {
  const places = command.arguments.map((argument) => {
    const name = argument.repeated === true ? `${argument.name}…` : argument.name;
    return argument.required === true ? name : `[${name}]`;
  });
  const usage = ["tutti", command.name, ...places, "[options]"].join(" ");
  const parts = [`${usage}\n\n${wrap(command.summary, 0)}`];
  if (command.about !== undefined) parts.push(wrap(command.about, 0));
  if (command.arguments.length > 0) {
    parts.push(
      section(
        "Arguments",
        command.arguments.map(({ name, help }) => [name, help] as const),
      ),
    );
  }
  if (Object.keys(command.options).length > 0) parts.push(section("Options", rows(command.options)));
  parts.push(section("Everywhere", rows(globalOptions)));
  if (command.examples !== undefined && command.examples.length > 0) {
    parts.push(`Examples\n${command.examples.map((example) => `  ${example}`).join("\n")}`);
  }
  return `${parts.join("\n\n")}\n`;
}

interface Group {
  readonly title: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
}

/** For the first word of commands that have two. */
export function familyHelp(word: string, { title, commands }: Group): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  return `tutti ${word} COMMAND [options]\n\n${section(title, rows)}\n\n\`tutti ${word} COMMAND --help\` shows a command's options.\n`;
}

export function mainHelp(groups: readonly Group[]): string {
  const parts = [
    "tutti COMMAND [options]\n\nConducts teams of AI agents on long jobs and brings back one verified result.",
    ...groups.map(({ title, commands }) =>
      section(
        title,
        commands.map(({ name, summary }) => [name, summary] as const),
      ),
    ),
    section("Everywhere", [...rows(globalOptions), ["--version", "print the release"]]),
    "`tutti COMMAND --help` shows a command's options. Exit status: 0 ok, 1 error, 2 bad input, 3 checks red,\n4 conflicts wait, 5 no unit succeeded, 6 publishing failed, 7 interrupted, 8 waits for a person, 9 budget.",
  ];
  return `${parts.join("\n\n")}\n`;
}

function rows(options: Options): (readonly [string, string])[] {
  return Object.entries(options).map(([name, option]) => [optionLabel(name, option), option.help] as const);
}

function optionLabel(name: string, { value, short, repeated }: Option): string {
  const text = value === undefined ? `--${name}` : `--${name} ${value}${repeated === true ? "…" : ""}`;
  return short === undefined ? text : `-${short}, ${text}`;
}

function section(title: string, entries: readonly (readonly [string, string])[]): string {
  const width = Math.min(28, Math.max(...entries.map(([label]) => label.length)));
  const lines = entries.map(([label, help]) => `  ${label.padEnd(width)}  ${wrap(help, width + 4)}`);
  return `${title}\n${lines.join("\n")}`;
}

function wrap(text: string, indent: number): string {
  return text
    .split("\n")
    .map((paragraph) => wrapLine(paragraph, indent))
    .join(`\n${" ".repeat(indent)}`);
}

function wrapLine(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > widthMax) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}
