import type { Event } from "@tutti/kernel";
import type { InstanceRecord, Turn } from "../embedded/store.ts";

export const record: InstanceRecord = {
  number: 1,
  instanceId: "one",
  rootId: "one",
  parentId: null,
  process: "p",
  version: "1",
  hash: "h",
  deployment: "d",
  businessKey: null,
  requestId: null,
  startedBy: null,
  copied: 0,
  status: "running",
  held: false,
  incidents: 0,
  startedAt: 1,
  endedAt: null,
};

export function resumed(n: number): Event {
  return { type: "instance-resumed", actor: `actor ${n}`, at: n };
}

/** Row n of one instance with one event a row. */
export function turn(n: number, event: Event = resumed(n)): Turn {
  return {
    rows: [{ position: n, instance: 1, sequence: n, at: n, events: [event] }],
    changes: n === 1 ? [{ type: "instance-put", record }] : [],
  };
}
