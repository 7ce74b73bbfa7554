import type { Input } from "../args/input.ts";
import type { Options } from "../args/option.ts";
import type { Context } from "../command.ts";
import type { Serving } from "./owner.ts";

const secondsDefault = 5;
const secondsMax = 600;

/** Of every command that ends work which may be under way. */
export const graceOption: Options = {
  grace: { value: "SECONDS", help: `how long running jobs may take to end (default: ${secondsDefault})` },
};

/** What was given with it, in milliseconds. Throws `option-invalid`. */
export function graceMsOf(input: Input): number {
  return (input.number("grace", { min: 0, max: secondsMax }) ?? secondsDefault) * 1_000;
}

/** Said on the first Ctrl-C; the second ends the program without a word. */
export function sayStopping({ out }: Pick<Context, "out">, graceMs: number): void {
  out.note(`Stopping: running jobs have ${graceMs / 1_000} s to end. Ctrl-C again ends at once.`);
}

/** The first Ctrl-C stops the owner within the grace time, also one that came before this was asked. */
export function stopWhenInterrupted({ out, interrupt }: Context, owner: Serving, graceMs: number): void {
  const stop = (): void => {
    sayStopping({ out }, graceMs);
    void owner.stop(graceMs);
  };
  if (interrupt.aborted) stop();
  else interrupt.addEventListener("abort", stop, { once: true });
}
