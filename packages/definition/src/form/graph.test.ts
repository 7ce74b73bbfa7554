import { decide, effectsOf, evolve, instanceView, type Json, loadProgram, newState } from "@tutti/kernel";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createHost } from "../host.ts";
import { elementOf, flowsOf, partsOf, placesOf, problemsOf, programOf } from "../testing/check.ts";

/** Runs a graph in the kernel, one job at a time, and gives the order of the items and the results. */
function runGraph(text: string, answer: (item: string, input: Json) => Record<string, Json>) {
  const program = loadProgram(programOf(text), createHost());
  const state = newState();
  const order: string[] = [];
  const open: Parameters<typeof decide>[2][] = [
    { type: "create-instance", at: 0, instanceId: "i", rootId: "i", variables: {}, actor: "test" },
  ];
  for (let command = open.shift(); command !== undefined; command = open.shift()) {
    const decision = decide(program, state, command);
    if ("rejection" in decision) throw new Error(decision.rejection.reason);
    for (const event of decision.events) {
      evolve(state, event);
      if (event.type === "incident-created") throw new Error(event.error.message);
      for (const effect of effectsOf(state, event)) {
        if (effect.type === "continue") open.push({ type: "continue", at: 1 });
        if (effect.type !== "offer-job") continue;
        const item = (effect.input["item"] as { id: string }).id;
        order.push(item);
        const result = answer(item, effect.input["inputs"] ?? null);
        open.push({ type: "complete-job", at: 1, key: effect.key, result, actor: "worker" });
      }
    }
  }
  const view = instanceView(program, state);
  return { order, status: view.status, results: view.variables["results"] };
}

const graph = `graph: site
job: agent.run
maxParallel: 3
onFailure: skip-dependents
items:
  schema: { priority: 1, outputs: [schema] }
  client: { dependsOn: [schema], locks: [api], inputs: { schema: "\${tasks.schema.output.schema}", note: fixed } }
  server: { dependsOn: [{ key: schema, policy: all-done }], locks: [api], resource: heavy, inputs: { text: "for \${tasks['schema'].output.schema}!" } }
  docs: { onFailure: continue, attempts: 2 }
`;

test("[D70] a graph is one service task, once per item", () => {
  const program = programOf(graph);
  expect(flowsOf(program)).toEqual(["start → items", "items → end"]);
  expect(elementOf(program, "items")).toMatchObject({
    kind: "service-task",
    job: { type: "agent.run", retry: { exhausted: "error" } },
    loop: { mode: "graph", maxParallel: { literal: 3 }, onFailure: "skip-dependents", output: { target: "results" } },
  });
  const { collection } = partsOf<{ loop: { collection: { literal: Json[] } } }>(program, "items").loop;
  expect(collection.literal[2]).toMatchObject({
    id: "server",
    queue: "heavy",
    locks: ["api"],
    dependsOn: [{ key: "schema", policy: "all-done" }],
  });
});

test("[D71] an item reads what the items it depends on gave", () => {
  const inputs: Record<string, Json> = {};
  const ran = runGraph(graph, (item, input) => {
    inputs[item] = input;
    return item === "schema" ? { output: { schema: "S" } } : {};
  });
  expect(ran.status).toBe("completed");
  expect(inputs).toEqual({ schema: {}, docs: {}, client: { schema: "S", note: "fixed" }, server: { text: "for S!" } });
  expect(ran.results).toEqual({ schema: { schema: "S" }, client: null, server: null, docs: null });
  const undeclared = "graph: g\njob: j\nitems:\n  a: {}\n  b:\n    inputs: { x: = tasks.a.output }\n";
  expect(problemsOf(undeclared)).toEqual([
    "6:18 error dependency-unknown Expected b to depend on a, whose output it reads, but it does not",
  ]);
});

test("[D72] unknown, double and own dependencies, double ids and circles are refused with their place", () => {
  const text = `graph: g
job: j
items:
  - { id: a, dependsOn: [b] }
  - { id: b, dependsOn: [c] }
  - { id: c, dependsOn: [a, a, c, zzz] }
  - { id: a }
`;
  expect(problemsOf(text)).toEqual([
    "4:25 error cycle Expected items that can be put in order, but they form a circle: a → c → b → a",
    "6:29 error dependency-duplicate Expected each dependency once, but a is there twice",
    "6:32 error dependency-self Expected another item, but c depends on itself",
    "6:35 error dependency-unknown Expected the id of an item, but there is no zzz",
    "7:5 error element-duplicate Expected every id once, but a is there twice (first in line 4)",
  ]);
});

const project = `project_name: Sample Web App
execution_mode: dag
max_parallel_tasks: 3
failure_policy: fail_dependents
tasks:
  - { task_id: 1-setup, capsule_id: project-scaffolder, persona_id: architect, description: Set up, timeout_seconds: 600 }
  - { task_id: 2-backend, capsule_id: fastapi-builder, persona_id: backend, description: Build it, dependencies: [1-setup], timeout_seconds: 1800 }
  - { task_id: 3-frontend, capsule_id: react-builder, persona_id: frontend, description: Build it, dependencies: [1-setup], inputs: { root: "\${tasks.1-setup.output.root}" } }
  - { task_id: 4-tests, capsule_id: test-writer, persona_id: qa, description: Test it, dependencies: [2-backend, 3-frontend], metadata: null }
  - { task_id: 5-docs, capsule_id: doc-writer, persona_id: qa, description: Write it, dependencies: [2-backend], dependency_policy: all_done, metadata: { optional: true } }
  - { task_id: 6-deploy, capsule_id: deployer, persona_id: devops, description: Deploy, dependencies: [4-tests, 5-docs] }
`;

test("[D73] the project form compiles to the same graph", () => {
  const program = programOf(project);
  expect([program.id, program.name, problemsOf(project)]).toEqual(["sample-web-app", "Sample Web App", []]);
  expect(elementOf(program, "items")).toMatchObject({
    job: {
      type: "capsule",
      timeoutMs: 3_600_000,
      retry: { attemptsMax: 3, backoff: { firstMs: 2_000, maxMs: 30_000 } },
    },
    loop: { maxParallel: { literal: 3 }, onFailure: "skip-dependents" },
  });
  const seen: Record<string, Json> = {};
  const ran = runGraph(project, (item, input) => {
    seen[item] = input;
    return { output: { root: `/${item}` } };
  });
  expect(ran.order).toEqual(["1-setup", "2-backend", "3-frontend", "5-docs", "4-tests", "6-deploy"]);
  expect(seen["3-frontend"]).toEqual({ root: "/1-setup" });
  expect(placesOf(project.replace("dag", "spiral"))).toEqual(["2:17 error schema-invalid"]);
});

test("[D74] whatever the graph, items start after all they depend on", () => {
  const graphs = fc
    .integer({ min: 1, max: 30 })
    .chain((size) =>
      fc.tuple(fc.constant(size), fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 60 })),
    );
  fc.assert(
    fc.property(graphs, ([size, pairs]) => {
      const before = new Map<string, Set<string>>(Array.from({ length: size }, (_, n) => [`i${n}`, new Set<string>()]));
      for (const [a, b] of pairs) if (a !== b) before.get(`i${Math.max(a, b)}`)?.add(`i${Math.min(a, b)}`);
      // Written in reverse, so that the order of the file is no help.
      const items = [...before].reverse().map(([id, set]) => `  ${id}: { dependsOn: [${[...set].join(", ")}] }\n`);
      const { order, status } = runGraph(`graph: g\njob: j\nitems:\n${items.join("")}`, () => ({}));
      expect(status).toBe("completed");
      expect(new Set(order)).toEqual(new Set(before.keys()));
      for (const [id, set] of before)
        for (const first of set) expect(order.indexOf(first)).toBeLessThan(order.indexOf(id));
    }),
    { numRuns: 50 },
  );
});

test("[D75] a graph with a circle is always refused", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), (size) => {
      const items = Array.from({ length: size }, (_, n) => `  i${n}: { dependsOn: [i${(n + 1) % size}] }\n`);
      expect(placesOf(`graph: g\njob: j\nitems:\n${items.join("")}`)).toEqual(["4:20 error cycle"]);
    }),
    { numRuns: 20 },
  );
});

test("[D76] many items with computed inputs stay within the limits of an expression", () => {
  const items = Array.from(
    { length: 200 },
    (_, n) => `  i${n}: { dependsOn: [root], inputs: { x: = tasks.root.output.x + ${n}.0 } }\n`,
  );
  const seen: Json[] = [];
  const ran = runGraph(`graph: g\njob: j\nitems:\n  root: {}\n${items.join("")}`, (item, input) => {
    if (item !== "root") seen.push((input as { x: number }).x);
    return item === "root" ? { output: { x: 1 } } : {};
  });
  expect([ran.status, seen.length, seen[199]]).toEqual(["completed", 200, 200]);
});
