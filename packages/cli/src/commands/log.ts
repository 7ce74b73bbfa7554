import type { Command } from "../command.ts";
import { withRun } from "../run/access.ts";
import { toldLine } from "../run/attend.ts";
import { followRun, isOver } from "../run/follow.ts";
import { Narrator, type Told } from "../run/narrate.ts";
import { runArgument } from "./arguments.ts";

export const log: Command = {
  name: "log",
  summary: "Shows what happened in a run, one line each; with --json every recorded event.",
  options: {
    follow: { short: "f", help: "stay and show what happens, until it has ended or waits for a person" },
    unit: { value: "UNIT", help: "only this unit" },
  },
  arguments: [runArgument],
  run: (context) =>
    withRun(context, context.input.argument(0), async (access, run) => {
      const { out, input, interrupt } = context;
      const only = input.text("unit");
      const onTold = (told: Told): void => {
        if (only === undefined || told.unit === only) out.text(toldLine(told, out.style));
      };
      if (input.flag("follow")) {
        const onRecord = out.json ? (record: unknown): void => out.line(record) : undefined;
        const shown = onRecord === undefined ? { onTold } : { onRecord };
        await followRun(access, { run, since: 0, signal: interrupt, isRest: isOver, ...shown });
        return 0;
      }
      const narrator = new Narrator();
      for await (const record of access.reader.history({ rootId: run, signal: interrupt })) {
        const told = narrator.tell(record);
        if (out.json) out.line(record);
        else if (told !== undefined) onTold(told);
      }
      return 0;
    }),
};
