/** Colours, or none. Every function gives back the text itself when there are none. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  blue(text: string): string;
}

const paint =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001b[${on}m${text}\u001b[${off}m`;

const coloured: Style = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  blue: paint(34, 39),
};

const same = (text: string): string => text;
export const plain: Style = { bold: same, dim: same, red: same, green: same, yellow: same, blue: same };

export interface StreamFacts {
  readonly isTerminal: boolean;
  readonly environment: { readonly [name: string]: string | undefined };
  readonly noColor: boolean;
}

/** NO_COLOR (https://no-color.org), TERM=dumb and anything that is no terminal get plain text. */
export function styleFor({ isTerminal, environment, noColor }: StreamFacts): Style {
  const refused = noColor || (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  return isTerminal && !refused ? coloured : plain;
}

/** Whether lines may be drawn over: a terminal that understands how. */
export function canRedraw({ isTerminal, environment }: Omit<StreamFacts, "noColor">): boolean {
  return isTerminal && environment["TERM"] !== "dumb" && (environment["CI"] ?? "") === "";
}
