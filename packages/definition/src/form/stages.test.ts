import { expect, test } from "vitest";
import { elementOf, flowsOf, partsOf, placesOf, problemsOf, programOf } from "../testing/check.ts";
import { parseArrows } from "./arrows.ts";

const stages = (list: string) => `workflow:\n  name: W\n  stages:\n${list}`;

test("[D80] stages follow what they name and what they read, else the stage above", () => {
  const program = programOf(
    stages(`    - { name: a, processor: p, outputs: [x] }
    - { name: b, processor: p, depends_on: [a] }
    - { name: c, processor: p, inputs: [x] }
    - { name: d, processor: p, depends_on: [b, c, a] }
    - { name: e, processor: p }
`),
  );
  expect(flowsOf(program)).toEqual([
    "d.join → d",
    "start → a",
    "a → a.fork",
    "a.fork → b",
    "a.fork → c",
    "b → d.join",
    "c → d.join",
    "d → e",
    "e → end",
  ]);
});

test("[D81] circles, unknown stages and two writers of one output are refused", () => {
  expect(
    problemsOf(
      stages("    - { name: a, processor: p, depends_on: [b] }\n    - { name: b, processor: p, depends_on: [a] }\n"),
    ),
  ).toEqual(["4:44 error cycle Expected stages that can be put in order, but they form a circle: a → b → a"]);
  expect(placesOf(stages("    - { name: a, processor: p, depends_on: [z], outputs: [x, x] }\n"))).toEqual([
    "4:45 error dependency-unknown",
    "4:62 error schema-invalid",
  ]);
});

test("[D82] foreach runs one job per entry, and one that fails does not stop the others", () => {
  const program = programOf(
    stages(
      "    - { name: a, processor: p, outputs: [l] }\n    - { name: b, type: parallel, foreach: l, processor: q, outputs: [r], colour: red }\n",
    ),
  );
  expect(elementOf(program, "b")).toMatchObject({
    job: { retry: { exhausted: "error" }, headers: { colour: "red" } },
    loop: { collection: { variable: "l" }, onFailure: "continue" },
  });
  expect(
    placesOf(
      stages(
        "    - { name: a, processor: p, outputs: [l] }\n    - { name: b, foreach: l, processor: q, colour: red }\n",
      ),
    ),
  ).toEqual(["5:44 warning schema-invalid"]);
  expect(placesOf(stages("    - { name: b, type: parallel, processor: q }\n"))).toEqual(["4:24 error loop-invalid"]);
});

test("[D83] a stage without inputs gets the input of the run and all that earlier stages gave", () => {
  const program = programOf(stages("    - { name: a, processor: p, outputs: [x] }\n    - { name: b, processor: p }\n"));
  const targets = (id: string) =>
    partsOf<{ inputs: { target: string }[] }>(program, id).inputs.map((input) => input.target);
  expect([targets("a"), targets("b")]).toEqual([["input"], ["input", "x"]]);
});

test("[D90] arrows: chains, routes, groups, ASCII", () => {
  const arrows = (text: string) => {
    const parsed = parseArrows(text, "g");
    return parsed.ok
      ? parsed.arrows.map(({ from, route, to }) => `${from}${route === undefined ? "" : `[${route}]`}>${to}`)
      : parsed.message;
  };
  expect(arrows("a → b")).toEqual(["a>b"]);
  expect(arrows("a -> b[ok] => c")).toEqual(["a>b", "b[ok]>c"]);
  expect(arrows("a → [b & c-d] → e")).toEqual([
    "g.fork-2>b",
    "b>g.join-2",
    "g.fork-2>c-d",
    "c-d>g.join-2",
    "a>g.fork-2",
    "g.join-2>e",
  ]);
  for (const wrong of ["a", "a →", "a → b[c]", "→", "a → b c", "a → [b]", ""])
    expect(typeof arrows(wrong)).toBe("string");
});

const flow = (tasks: string, arrows: string) => `workflow:\n  id: w\n  tasks:\n${tasks}  flow: [${arrows}]\n`;

test("[D91] every kind of task of the flow form compiles", () => {
  const program = programOf(
    flow(
      `    - { id: ask, type: user_task, title: Ok?, assignee: ann, sla_hours: 2 }
    - { id: late, type: boundary_event, attached_to: ask, event: { timer: 1h }, interrupt: false, then: remind }
    - { id: remind, type: service_task, agent: Mail }
    - { id: work, type: service_task, agent: Work, compensation: undo_it, output: [x] }
    - { id: undo_it, type: service_task, agent: Undo }
    - { id: rest, type: timer_event, duration: 7d }
    - { id: sum, type: script_task, script: "size('abc')", output_variable: n }
    - { id: more, type: call_activity, workflow: other }
    - { id: split, type: parallel_gateway }
    - { id: done, type: end_event }
`,
      '"start → ask → split", "split → work", "split → rest → done", "work → [sum & more] → done"',
    ),
  );
  expect(elementOf(program, "ask")).toMatchObject({ kind: "user-task", due: { value: { literal: "PT2H" } } });
  expect(elementOf(program, "late")).toMatchObject({ kind: "boundary-event", interrupting: false });
  expect(elementOf(program, "work")).toMatchObject({
    compensation: "undo_it",
    job: { type: "Work", timeoutMs: 300_000 },
  });
  expect(elementOf(program, "undo_it")).toMatchObject({ forCompensation: true });
  expect(elementOf(program, "rest")).toMatchObject({ trigger: { timer: { value: { literal: "P7D" } } } });
  expect(flowsOf(program)).toContain("late → remind");
});

test("[D92] unknown names, routes and preconditions are said with their line", () => {
  const gateway = `    - { id: g, type: exclusive_gateway, conditions: { yes: "true" } }\n    - { id: a, type: service_task, agent: A, precondition: g.no }\n`;
  expect(placesOf(flow(gateway, '"start → g", "g[yes] → a", "g[maybe] → end", "a → zzz", "a"'))).toEqual([
    "5:60 warning route-unknown",
    "6:37 error route-unknown",
    "6:55 error target-unknown",
    "6:66 error schema-invalid",
  ]);
});
