import type { RecordedEvent } from "@tutti/engine";
import { StepReader } from "@tutti/testing";
import type { Command } from "../../command.ts";
import { instanceArgument } from "../../process/send.ts";
import { Story } from "../../process/story.ts";
import { withAccess } from "../../run/access.ts";
import { instanceNamed } from "../../run/instance-id.ts";

export const processLog: Command = {
  name: "process log",
  summary: "Tells what happened in an instance of a process and in those it called; with --json every recorded event.",
  about:
    "A line for each element as it starts and ends, for each failure, and for what a person did and why. The first column is the time since its start.",
  options: {},
  arguments: [instanceArgument],
  examples: ["tutti process log order-17", "tutti process log order-17 --json"],
  run: ({ input, out, ...context }) =>
    withAccess({ input, out, ...context }, async ({ reader }) => {
      const { instanceId: id, rootId } = await instanceNamed(reader, input.argument(0) ?? "");
      const story = new Story(out, []);
      const steps = new StepReader();
      for await (const record of reader.history({ rootId, signal: context.interrupt })) {
        if (id !== rootId && record.instanceId !== id) continue;
        if (out.json) out.line(record);
        else tell(story, steps, record);
      }
      return 0;
    }),
};

function tell(story: Story, steps: StepReader, record: RecordedEvent): void {
  story.event(record);
  story.byHand(record);
  const step = steps.read(record);
  if (step !== undefined) story.step(step);
}
