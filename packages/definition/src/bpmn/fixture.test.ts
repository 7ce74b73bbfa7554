import { readFileSync } from "node:fs";
import type { ProgramDocument } from "@tutti/kernel";
import { expect, test } from "vitest";
import { programOf, said } from "../testing/drawing.ts";
import { compileBpmn } from "./import.ts";

// Written here, each as its tool writes files, diagrams included; none of them is a file of somebody else.
const fixture = (name: string) => readFileSync(new URL(`../../fixtures/bpmn/${name}`, import.meta.url));

test("[D200] in the manner of Camunda Modeler: jobs, mappings, FEEL, timers, people, loops, calls, errors and compensation", () => {
  const program = programOf(fixture("zeebe-order.bpmn"));
  expect([program.id, program.version, program.name]).toEqual(["order", "2.1", "Order"]);
  expect(program.variables.map(({ name }) => name)).toEqual(["order", "parcels", "receipt", "tracking"]);
  expect(said(program, "charge")).toMatchObject({
    kind: "service-task",
    name: "Charge card",
    documentation: "Takes the money.",
    extension: { properties: { team: "billing" } },
    compensation: "refund",
    job: { type: "payment.charge", headers: { provider: "test" }, retry: { attemptsMax: 5 } },
    inputs: [
      { target: "amount", source: { language: "feel", text: "order.total * 1.19" } },
      { target: "currency", source: { literal: "EUR" } },
    ],
    outputs: [{ target: "receipt", source: { variable: "receipt" } }],
  });
  expect(said(program, "declined")).toMatchObject({
    attachedTo: "charge",
    trigger: { type: "error", code: "card-declined" },
  });
  expect(said(program, "remind")).toMatchObject({
    interrupting: false,
    trigger: { type: "timer", timer: { kind: "cycle", value: { literal: "R3/PT4H" } } },
  });
  expect(said(program, "approve")).toMatchObject({
    title: { literal: "Approve order" },
    assignee: { language: "feel", text: "order.manager" },
    candidates: ["sales", "finance"],
    due: { kind: "date", value: { language: "feel", text: "order.due" } },
    followUp: { kind: "date", value: { literal: "2030-01-01T09:00:00Z" } },
    priority: { literal: 80 },
  });
  expect(said(program, "pack")).toMatchObject({
    loop: {
      mode: "parallel",
      collection: { language: "feel", text: "order.lines" },
      item: "line",
      completion: { language: "feel", text: "completed >= 100" },
      output: { target: "parcels", source: { variable: "parcel" } },
    },
    variables: [{ name: "parcel", type: "any", initial: null }],
  });
  expect(said(program, "ship")).toMatchObject({ process: "shipment", binding: "deployment" });
  expect(program.flows.find(({ id }) => id === "Flow_4")).toMatchObject({
    from: "big",
    condition: { language: "feel", text: "order.total > 1000", position: { line: 51, column: 7 } },
  });
  expect(said(program, "big")).toMatchObject({ kind: "exclusive-gateway", defaultFlow: "Flow_5" });
});

test("[D200] in the manner of Flowable: default namespace, mark, CDATA, JUEL, delegates, forms, owners", () => {
  const { documents, problems } = compileBpmn(fixture("flowable-expense.bpmn20.xml"), { file: "expense.bpmn20.xml" });
  expect(problems.map(({ position, code }) => `${position.line} ${code}`)).toEqual(["33 element-unsupported"]);
  const program = documents[0] as ProgramDocument;
  expect(said(program, "rate")).toMatchObject({
    job: {
      type: "rateClaim",
      headers: { scale: "1..5" },
      retry: { attemptsMax: 5, backoff: { firstMs: 600_000, factor: 1 } },
    },
  });
  expect(program.flows.find(({ id }) => id === "toBoss")?.condition).toMatchObject({
    language: "cel",
    text: "amount > 500 && ! urgent",
  });
  expect(said(program, "boss")).toMatchObject({
    assignee: { variable: "boss" },
    candidates: ["management", "board"],
    due: { kind: "duration", value: { literal: "P3D" } },
    form: {
      properties: { signed: { type: "boolean", title: "Signed?" }, reason: { type: "string" } },
      required: ["signed"],
    },
  });
  expect(said(program, "each")).toMatchObject({
    candidates: ["kermit", "clerks"],
    loop: { collection: { variable: "receipts" }, item: "receipt", completion: { text: "completed/total >= 0.6" } },
  });
  expect(said(program, "note")).toMatchObject({
    kind: "service-task",
    job: { type: "script.groovy", headers: { language: "groovy" } },
  });
  expect(program.flows[0]).toMatchObject({ id: "expense.sequenceFlow1", from: "start", to: "rate" });
});

test("[D200] in the manner of jBPM: ISO-8859-1, items and properties, assignments, Java conditions, loop data", () => {
  const program = programOf(fixture("jbpm-claims.bpmn2"));
  expect(program.name).toBe("Ansprüche");
  expect(program.variables).toEqual([
    { name: "amount", type: "integer", initial: null },
    { name: "papers", type: "list", initial: null },
    { name: "answers", type: "list", initial: null },
  ]);
  expect(said(program, "_mail")).toMatchObject({
    name: "Bestätigen",
    job: { type: "Email" },
    inputs: [
      { target: "To", source: { literal: "claims@example.org" } },
      { target: "Amount", source: { variable: "amount" } },
    ],
  });
  expect(program.flows.find(({ id }) => id === "_f3")?.condition).toMatchObject({
    language: "cel",
    text: "amount > 100",
  });
  expect(said(program, "_ask")).toMatchObject({
    candidates: ["krisv"],
    loop: {
      mode: "sequential",
      collection: { variable: "papers" },
      item: "paper",
      output: { target: "answers", source: { variable: "answer" } },
    },
  });
});

test("[D200] in the manner of bpmn.io without an engine in mind: pools, lanes, tasks of no kind", () => {
  const program = programOf(fixture("plain-leave.bpmn"));
  expect([program.id, program.name]).toEqual(["leave", "Leave requests"]);
  expect(program.variables.map(({ name }) => name)).toEqual(["approved", "days"]);
  expect(said(program, "book")).toMatchObject({ job: { type: "book-the-days" }, extension: { lane: "Payroll" } });
  expect(said(program, "told")).toMatchObject({ kind: "manual-task" });
  expect(program.flows.find(({ id }) => id === "f3")?.condition).toMatchObject({
    language: "feel",
    text: "approved and days <= 30",
  });
});
