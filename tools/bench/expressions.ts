// What expressions and variables cost: a step that also writes two variables and passes a gateway with a CEL condition,
// beside the bare step, both in memory with 64 instances under way. In the processor's time: nothing is waited for.

import type { Element, Mapping } from "@tutti/kernel";
import { createHost } from "../../packages/definition/src/host.ts";
import { type Figure, figure, roundsOf } from "../../packages/engine/src/bench/report.ts";
import { runSteps } from "../../packages/engine/src/bench/workload.ts";
import { end, program, service, start } from "../../packages/engine/src/testing/programs.ts";

const rounds = 5;
const steps = 10;
const inFlight = 64;
/** Rounds of seconds: what the runtime compiles meanwhile, or one collection of garbage, is little of them. */
const instances = 30_000;

function decided(): ReturnType<typeof program> {
  const outputs: Mapping[] = [
    { target: "count", source: { language: "cel", text: "count + 1" } },
    { target: "label", source: { literal: "counted" } },
  ];
  const elements: Element[] = [start()];
  const flows: string[] = [];
  let before = "start";
  let condition = "";
  for (let n = 1; n <= steps; n++) {
    flows.push(`${before}>step${n}${condition}`, `step${n}>gate${n}`, `gate${n}>end`);
    elements.push(service(`step${n}`, { outputs }), {
      ...{ kind: "exclusive-gateway", id: `gate${n}`, parent: null, defaultFlow: `f${flows.length}` },
    });
    before = `gate${n}`;
    condition = `?0 < count && count < ${steps}`;
  }
  return program({
    id: "decided",
    variables: [
      { name: "count", type: "integer", required: false, initial: 0 },
      { name: "label", type: "string", required: false, initial: "" },
    ],
    elements: [...elements, end()],
    flows,
  });
}

function print(each: Figure): void {
  process.stdout.write(`${JSON.stringify(each)}\n`);
}

const bare = { folder: "", durable: false, instances, steps, inFlight };
const withGateway = { ...bare, program: decided(), host: createHost() };
await runSteps(bare);
await runSteps(withGateway);
const bareMicros: number[] = [];
const ratios: number[] = [];
for (let round = 0; round < rounds; round++) {
  const plain = (await runSteps(bare)).cpuSeconds;
  const full = (await runSteps(withGateway)).cpuSeconds;
  bareMicros.push((plain * 1e6) / instances / steps);
  ratios.push(full / plain);
}
print(figure("step.memory.64", roundsOf(bareMicros), { unit: "µs" }));
print(figure("step.with-gateway-and-writes.of-bare", roundsOf(ratios), { unit: "ratio", goal: "<= 2" }));
