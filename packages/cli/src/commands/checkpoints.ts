import type { RecordedEvent } from "@tutti/engine";
import type { Command, Context } from "../command.ts";
import { openAccess, type RunAccess } from "../run/access.ts";
import { resolveInstance } from "../run/instance-id.ts";
import { Narrator, type Told } from "../run/narrate.ts";
import { wordsOf } from "../run/words.ts";
import { clockTime, quote } from "../terminal/text.ts";
import { instanceArgument } from "./arguments.ts";

/** A moment to go on from: everything that one command changed. */
interface Checkpoint {
  readonly position: number;
  /** Epoch ms. */
  readonly at: number;
  readonly events: readonly RecordedEvent["event"]["type"][];
  /** The same in words, where there are some. */
  readonly told: readonly string[];
}

export const checkpoints: Command = {
  name: "checkpoints",
  summary: "Lists every moment of a run, or of an instance of a process, that it can be forked from or rolled back to.",
  options: {},
  arguments: [instanceArgument],
  examples: ["tutti checkpoints", "tutti checkpoints order-1 --json"],
  async run(context) {
    const access = await openAccess(context);
    try {
      const instance = await resolveInstance(access, context.input.argument(0));
      return show(context, instance, await read(access, instance));
    } finally {
      await access.close();
    }
  },
};

async function read({ reader }: RunAccess, instance: string): Promise<Checkpoint[]> {
  const narrator = new Narrator();
  const found: { position: number; at: number; events: Checkpoint["events"][number][]; told: string[] }[] = [];
  const { rootId } = await reader.instance(instance);
  for await (const record of reader.history({ rootId })) {
    if (record.instanceId !== instance) continue;
    const { cursor, at, event } = record;
    const told = narrator.tell(record);
    const words = told === undefined ? [] : [sentence(told)];
    const last = found.at(-1);
    if (last?.position === cursor.position) {
      last.events.push(event.type);
      last.told.push(...words);
    } else found.push({ position: cursor.position, at, events: [event.type], told: words });
  }
  return found;
}

function sentence({ unit, text }: Told): string {
  return unit === null ? text : `${unit}: ${text}`;
}

function show(context: Context, instance: string, steps: readonly Checkpoint[]): number {
  const { out } = context;
  out.document({ instance, checkpoints: steps });
  const width = String(steps.at(-1)?.position ?? 0).length;
  for (const { position, at, events, told } of steps) {
    const what = told.length > 0 ? told.join("; ") : out.style.dim(events.join(", "));
    out.text(`${String(position).padStart(width)}  ${clockTime(at)}  ${what}`);
  }
  const { tutti } = wordsOf(context);
  out.note(`→ ${tutti(`fork ${quote(instance)} --at POSITION`)}`);
  out.note(`→ ${tutti(`rollback ${quote(instance)} --to POSITION`)}`);
  return 0;
}
