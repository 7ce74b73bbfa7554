// Tutti beside others that can be had from npm, in one process and one run: openworkflow for durable steps on SQLite,
// bpmn-engine for instances in memory. Each is used as its own documentation shows, with handlers that do nothing.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Engine } from "bpmn-engine";
import { OpenWorkflow } from "openworkflow";
import { BackendSqlite } from "openworkflow/sqlite";
import { type Figure, figure, roundsOf } from "../../packages/engine/src/bench/report.ts";
import { runSteps } from "../../packages/engine/src/bench/workload.ts";

const rounds = 3;
const steps = 10;
const inFlight = 64;

/** Steps per second of ten-step workflows, 64 under way. */
async function openworkflowSteps(folder: string, round: number): Promise<number> {
  const workflows = 128;
  const backend = BackendSqlite.connect(join(folder, `openworkflow-${round}.sqlite`));
  const client = new OpenWorkflow({ backend });
  let ended = 0;
  let onEnd: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    onEnd = resolve;
  });
  const workflow = client.defineWorkflow({ name: "steps" }, async ({ step }) => {
    for (let n = 1; n <= steps; n++) await step.run({ name: `step${n}` }, () => ({}));
    if (++ended === workflows) onEnd();
    return {};
  });
  for (let n = 0; n < workflows; n++) await workflow.run({});
  const worker = client.newWorker({ concurrency: inFlight });
  const begin = performance.now();
  await worker.start();
  // Seen in the workflow itself: asking for results would only measure how often it is polled.
  await all;
  const seconds = (performance.now() - begin) / 1_000;
  await worker.stop();
  await backend.stop();
  return (workflows * steps) / seconds;
}

const source = `<?xml version="1.0" encoding="UTF-8"?>
<definitions id="d" xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="http://example.org">
  <process id="one" isExecutable="true">
    <startEvent id="start" />
    <sequenceFlow id="f1" sourceRef="start" targetRef="work" />
    <serviceTask id="work" implementation="\${environment.services.work}" />
    <sequenceFlow id="f2" sourceRef="work" targetRef="end" />
    <endEvent id="end" />
  </process>
</definitions>`;

/** One-task instances per second in memory, parsing included, as an Engine is made from its source. */
async function bpmnInstances(): Promise<number> {
  const instances = 300;
  const work = (_scope: unknown, done: () => void): void => done();
  const begin = performance.now();
  for (let n = 0; n < instances; n++) {
    const engine = new Engine({ name: `one-${n}`, source });
    const ended = engine.waitFor("end");
    await engine.execute({ services: { work } });
    await ended;
  }
  return (instances * 1_000) / (performance.now() - begin);
}

function print(...figures: readonly Figure[]): void {
  for (const each of figures) process.stdout.write(`${JSON.stringify(each)}\n`);
}

const folder = mkdtempSync(join(tmpdir(), "tutti-bench-peers-"));
try {
  const durable = { folder, durable: true, instances: 3_000, steps, inFlight };
  const memory = { folder, durable: false, instances: 30_000, steps: 1, inFlight };
  await runSteps(durable);
  await runSteps(memory);
  await bpmnInstances();
  const found = { openworkflow: [], bpmn: [], ofOpenworkflow: [], ofBpmn: [] } as Record<string, number[]>;
  for (let round = 0; round < rounds; round++) {
    const openworkflow = await openworkflowSteps(folder, round);
    const ours = (durable.instances * steps) / (await runSteps(durable)).seconds;
    const bpmn = await bpmnInstances();
    const ourInstances = memory.instances / (await runSteps(memory)).seconds;
    found["openworkflow"]?.push(openworkflow);
    found["ofOpenworkflow"]?.push(ours / openworkflow);
    found["bpmn"]?.push(bpmn);
    found["ofBpmn"]?.push(ourInstances / bpmn);
  }
  const of = (name: string) => roundsOf(found[name] ?? []);
  print(
    figure("peer.openworkflow.10-steps.64", of("openworkflow"), { unit: "steps/s" }),
    figure("10-steps.durable.64.of-openworkflow", of("ofOpenworkflow"), { unit: "ratio", goal: ">= 10" }),
    figure("peer.bpmn-engine.one-task", of("bpmn"), { unit: "instances/s" }),
    figure("one-task.memory.64.of-bpmn-engine", of("ofBpmn"), { unit: "ratio", goal: ">= 500" }),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
