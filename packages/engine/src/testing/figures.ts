import { addFigures, type FiguresChange, noVersionFigures, type VersionFigures } from "@tutti/kernel";
import type { RecordedEvent } from "../port.ts";

interface Followed {
  hash: string;
  startedAt: number;
  incidents: number;
  /** It began, or its fork did: until then its events are those of another instance. */
  counts: boolean;
}

const ends = {
  "instance-completed": "completed",
  "instance-failed": "failed",
  "instance-cancelled": "cancelled",
} as const;

/** How every version fares by what the history says alone: what the engine keeps must be the same. */
export async function figuresOf(history: AsyncIterable<RecordedEvent>): Promise<Map<string, VersionFigures>> {
  const figures = new Map<string, VersionFigures>();
  const instances = new Map<string, Followed>();
  const add = (hash: string, change: FiguresChange): void => {
    figures.set(hash, addFigures(figures.get(hash) ?? noVersionFigures, [change]));
  };
  for await (const { instanceId, event } of history) {
    const of = instances.get(instanceId);
    if (event.type === "instance-created") {
      const counts = event.instanceId === instanceId;
      instances.set(instanceId, { hash: event.hash, startedAt: event.at, incidents: 0, counts });
      if (counts) add(event.hash, { started: 1, running: 1 });
    }
    if (of !== undefined) follow(of, { instanceId, event }, (hash, change) => of.counts && add(hash, change));
  }
  return figures;
}

function follow(
  of: Followed,
  { instanceId, event }: Pick<RecordedEvent, "instanceId" | "event">,
  add: (hash: string, change: FiguresChange) => void,
): void {
  switch (event.type) {
    case "instance-forked":
      of.counts = event.instanceId === instanceId;
      return add(of.hash, { started: 1, running: 1, incidents: of.incidents });
    case "incident-created":
      of.incidents++;
      return add(of.hash, { incidents: 1 });
    case "incident-resolved":
      of.incidents--;
      return add(of.hash, { incidents: -1 });
    case "instance-migrated":
      add(of.hash, { running: -1, incidents: -of.incidents });
      of.hash = event.hash;
      return add(of.hash, { running: 1, incidents: of.incidents });
    case "instance-completed":
    case "instance-failed":
    case "instance-cancelled": {
      const durationMs = event.type === "instance-completed" ? { durationMs: event.at - of.startedAt } : {};
      return add(of.hash, { running: -1, [ends[event.type]]: 1, ...durationMs });
    }
    default:
  }
}
