import { AppError } from "@tutti/kernel";

/** The arguments of one call, parsed. Asking for an option that was not given gives undefined or the default. */
export class Input {
  readonly #options: ReadonlyMap<string, readonly string[]>;
  readonly #arguments: readonly string[];

  constructor(options: ReadonlyMap<string, readonly string[]>, given: readonly string[]) {
    this.#options = options;
    this.#arguments = given;
  }

  flag(name: string): boolean {
    return this.#options.has(name);
  }

  text(name: string): string | undefined {
    return this.#options.get(name)?.at(-1);
  }

  list(name: string): readonly string[] {
    return this.#options.get(name) ?? [];
  }

  /** Throws `option-invalid` when it is no number within the limits. */
  number(
    name: string,
    limits: { readonly min: number; readonly max: number; readonly fraction?: boolean },
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const fits = limits.fraction === true ? Number.isFinite(value) : Number.isInteger(value);
    if (fits && value >= limits.min && value <= limits.max) return value;
    const kind = limits.fraction === true ? "a number" : "a whole number";
    throw new AppError(
      "option-invalid",
      `Expected --${name} to be ${kind} from ${limits.min} to ${limits.max}, but got '${text}'`,
    );
  }

  choice<const C extends string>(name: string, choices: readonly C[]): C | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const chosen = choices.find((choice) => choice === text);
    if (chosen !== undefined) return chosen;
    throw new AppError("option-invalid", `Expected --${name} to be one of ${choices.join(", ")}, but got '${text}'`);
  }

  argument(index: number): string | undefined {
    return this.#arguments[index];
  }

  arguments(): readonly string[] {
    return this.#arguments;
  }
}
