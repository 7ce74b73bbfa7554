import { expect, test } from "vitest";
import { around, drawing, problemsOf, programOf, said } from "../testing/drawing.ts";

test("[D232] jBPM's deadlines are SLA rules, and one that cannot be read is told and left out", () => {
  const input = (name: string, text: string) =>
    `<dataInputAssociation><targetRef>${name}X</targetRef><assignment><from>${text}</from><to>${name}X</to></assignment></dataInputAssociation>`;
  const task = (...inputs: readonly (readonly [string, string])[]) =>
    drawing(
      around(
        `<userTask id="t"><ioSpecification>${inputs.map(([name]) => `<dataInput id="${name}X" name="${name}"/>`).join("")}</ioSpecification>${inputs.map(([name, text]) => input(name, text)).join("")}</userTask>`,
      ),
    );
  const notify = "[from:|tousers:ann|togroups:|toemails:a@b.c|subject:Late: order|body:x]@[PT1H]";
  const whole = task(
    ["NotStartedReassign", "[users:bob,carl|groups:clerks]@[4h,1d]"],
    ["NotCompletedNotify", `${notify}^[tousers:boss]@[R/PT2H]`],
    ["Comment", "yes"],
  );
  const after = (literal: string, kind = "duration") => ({ kind, value: { literal } });
  const to = ["bob", "carl", "clerks"];
  const program = programOf(whole);
  expect(said(program, "t")["sla"]).toEqual([
    { on: "not-started", after: after("PT4H"), action: { type: "reassign", to } },
    { on: "not-started", after: after("P1D"), action: { type: "reassign", to } },
    {
      ...{ on: "not-completed", after: after("PT1H") },
      action: { type: "notify", to: ["ann", "a@b.c"], message: { literal: "Late: order" } },
    },
    { on: "not-completed", after: after("R/PT2H", "cycle"), action: { type: "notify", to: ["boss"] } },
  ]);
  expect(said(program, "t")["inputs"]).toEqual([{ target: "Comment", source: { literal: "yes" } }]);
  const odd = problemsOf(task(["NotStartedReassign", "[users:]@[4h]"], ["NotStartedNotify", "[tousers:ann]@[soon]"]));
  expect(odd.filter((line) => line.includes("this deadline is left out"))).toEqual([
    expect.stringContaining(
      "Expected NotStartedReassign of t as [users:ann|groups:clerks]@[4h], but found [users:]@[4h]",
    ),
    expect.stringContaining("but found [tousers:ann]@[soon]"),
  ]);
});
