/** One option of a command. `value` is what stands for it in the help; without one it is a switch. */
export interface Option {
  readonly value?: string;
  readonly help: string;
  readonly short?: string;
  /** May be given more than once. */
  readonly repeated?: boolean;
}

export type Options = { readonly [name: string]: Option };

/** What every command takes. */
export const globalOptions: Options = {
  store: {
    value: "URL",
    help: "a PostgreSQL for what runs (default: $TUTTI_STORE, or tutti.json in the state folder)",
  },
  engine: {
    value: "NAME",
    help: "embedded, or temporal: where what is new begins (default: $TUTTI_ENGINE, or tutti.json)",
  },
  state: { value: "DIR", help: "state folder (default: $TUTTI_STATE, or tutti in the user's state folder)" },
  wait: { help: "while Temporal does not answer, try again until it does" },
  json: { help: "print data as JSON: one document, or one line each while following" },
  quiet: { short: "q", help: "no progress on stderr" },
  "no-input": { help: "never ask; what is missing is an error" },
  "no-color": { help: "plain text (so does NO_COLOR)" },
  help: { short: "h", help: "show this" },
};

/** A positional argument; only the last may be repeated. */
export interface Argument {
  readonly name: string;
  readonly help: string;
  readonly required?: boolean;
  readonly repeated?: boolean;
}
