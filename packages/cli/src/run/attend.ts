import type { RunView } from "@tutti/feature";
import type { Context } from "../command.ts";
import { LiveLines } from "../terminal/live.ts";
import type { Style } from "../terminal/style.ts";
import { clockTime } from "../terminal/text.ts";
import type { RunAccess } from "./access.ts";
import { exitStatus } from "./exit-status.ts";
import { followRun, isOver } from "./follow.ts";
import type { Told } from "./narrate.ts";
import { finalReport } from "./report.ts";
import { runScreen, totalLine } from "./screen.ts";
import { wordsOf } from "./words.ts";

const heartbeatMs = 15_000;

export interface Attended {
  readonly run: string;
  /** What happened before this (epoch ms) is not told again. */
  readonly since: number;
  /** Default: until it has ended or waits for a person. */
  isRest?(view: RunView): boolean;
  /** What Ctrl-C means here, in one line. */
  readonly onDetach?: (view: RunView) => string;
}

/**
 * Watches a run on the terminal until it rests, then says what came of it; gives the exit status. Ctrl-C stops the
 * watching, not the run.
 */
export async function attendRun(context: Context, access: RunAccess, attended: Attended): Promise<number> {
  const { out, interrupt } = context;
  const { run, since, isRest = isOver } = attended;
  const progress = progressOf(context);
  const { view, detached } = await followRun(access, { run, since, signal: interrupt, isRest, ...progress });
  progress.end();
  const words = wordsOf(context);
  if (detached) {
    out.note(attended.onDetach?.(view) ?? detachText(run, words.tutti));
    out.document(view);
    return 0;
  }
  out.text(finalReport(view, words));
  out.document(view);
  return exitStatus(view);
}

function detachText(run: string, tutti: (rest: string) => string): string {
  return [
    `${run} goes on without you.`,
    `→ ${tutti(`status ${run} --follow`)}`,
    `→ ${tutti(`pause ${run}`)}`,
    `→ ${tutti(`cancel ${run}`)}`,
  ].join("\n");
}

interface Progress {
  onView(view: RunView): void;
  onTold(told: Told): void;
  end(): void;
}

/** A live screen on a terminal; elsewhere a line for each thing that happened, and a sign of life now and then. */
export function progressOf({ out }: Pick<Context, "out">): Progress {
  const style = out.errorStyle;
  if (out.live) {
    const lines = new LiveLines(out);
    return {
      onView: (view) => lines.draw(runScreen(view, { style, columns: out.columns - 1, rows: out.rows - 1 })),
      onTold: (told) => {
        if (told.tone === "attention") lines.above(toldLine(told, style));
      },
      end: () => lines.end(),
    };
  }
  let saidAt = Date.now();
  return {
    onView: (view) => {
      if (Date.now() - saidAt < heartbeatMs) return;
      saidAt = Date.now();
      out.note(`${clockTime(saidAt)}  ${totalLine(view, { style, columns: 100 })}`);
    },
    onTold: (told) => {
      saidAt = Date.now();
      out.note(toldLine(told, style));
    },
    end: () => undefined,
  };
}

/** `12:04:31  sessions: attempt 2: the agent edits`. */
export function toldLine({ at, unit, text, tone }: Told, style: Style): string {
  const paint = { plain: (words: string) => words, good: style.green, bad: style.red, attention: style.yellow }[tone];
  return `${style.dim(clockTime(at))}  ${unit === null ? "" : `${style.bold(unit)}: `}${paint(text)}`;
}
