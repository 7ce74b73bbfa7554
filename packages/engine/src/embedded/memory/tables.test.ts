import { expect, test } from "vitest";
import { madeId, numberIn } from "../instance-id.ts";
import type { Change, InstanceRecord } from "../store.ts";
import { MemoryTables } from "./tables.ts";

function record(number: number, changes: Partial<InstanceRecord> = {}): InstanceRecord {
  const instanceId = changes.instanceId ?? madeId("order", number);
  return {
    ...{ number, instanceId, rootId: instanceId, parentId: null, process: "order", version: "1", hash: "h" },
    ...{ deployment: "d", businessKey: null, requestId: `r${number}`, startedBy: null, copied: 0 },
    ...{ status: "running", held: false, incidents: 0, startedAt: 10 * number, endedAt: null },
    ...changes,
  };
}

function put(tables: MemoryTables, ...records: readonly InstanceRecord[]): void {
  tables.apply({ rows: [], changes: records.map((each): Change => ({ type: "instance-put", record: each })) });
}

function update(tables: MemoryTables, ...records: readonly InstanceRecord[]): void {
  tables.apply({ rows: [], changes: records.map((each): Change => ({ type: "instance-update", record: each })) });
}

const ended = { status: "completed", endedAt: 99 } as const;
const child = { instanceId: "order-1/5", rootId: "order-1", parentId: "order-1", requestId: null };

test("[E53] an instance reads the same once it has ended, however it is kept", () => {
  const tables = new MemoryTables();
  const records = [
    record(1),
    record(2, { instanceId: "mine" }),
    record(3, child),
    record(4, { instanceId: "order-77" }),
    record(5, { businessKey: "b" }),
    record(6, { process: "other", instanceId: "other-6", requestId: null }),
  ];
  put(tables, ...records);
  const after = records.map((each) => ({ ...each, ...ended }));
  update(tables, ...after);
  expect([...tables.records()].sort((a, b) => a.number - b.number)).toEqual(after);
  for (const each of after) {
    expect(tables.record(each.number)).toEqual(each);
    expect(tables.numberOf(each.instanceId)).toBe(each.number);
    if (each.requestId !== null) expect(tables.startedBy(each.requestId)).toBe(each.instanceId);
  }
  expect(tables.instances.size).toBe(4);
  for (const id of ["order-4", "order-01", "other-1", "order-8", "-1", "order", ""]) {
    expect(tables.numberOf(id)).toBeUndefined();
  }
});

test("[E52] what has ended can be put in quarantine, and out of it", () => {
  const tables = new MemoryTables();
  const [before, other] = [record(1), record(2)];
  put(tables, before, other);
  const done = { ...before, ...ended };
  update(tables, done, { ...other, status: "failed", endedAt: 98 });
  expect(tables.instances.size).toBe(0);
  const incident = { instance: 1, key: 0, element: null, kind: "quarantine" as const, code: "c", message: "m" };
  tables.apply({
    rows: [],
    changes: [
      { type: "incident-put", incident: { ...incident, details: null, at: 1 } },
      { type: "instance-update", record: { ...done, incidents: 1 } },
    ],
  });
  expect(tables.instances.get(1)?.incidents?.get(0)).toMatchObject({ code: "c" });
  expect(tables.record(1)).toEqual({ ...done, incidents: 1 });
  tables.apply({
    rows: [],
    changes: [
      { type: "incident-delete", instance: 1, key: 0 },
      { type: "instance-update", record: done },
    ],
  });
  expect(tables.instances.size).toBe(0);
  expect(tables.record(1)).toEqual(done);
});

test("an id says its number only if it ends in one that is exact", () => {
  expect(numberIn(madeId("a-b", 120))).toBe(120);
  expect(numberIn("a-999999999999999")).toBe(999_999_999_999_999);
  for (const id of ["a-1000000000000000", "a-1x", "12", "a-", "a-1/2"]) expect(numberIn(id)).toBe(0);
});
