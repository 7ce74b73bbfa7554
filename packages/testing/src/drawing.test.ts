import { expect, test } from "vitest";
import { load } from "./load-definition.ts";
import { openTrial } from "./trial.ts";

const drawing = (name: string) => new URL(`../../definition/fixtures/bpmn/${name}`, import.meta.url);
const complete = (result = {}) => ({ complete: result });

test("[T40] a drawing for people runs: tasks of no kind pass, a person decides, a worker books", async () => {
  const trial = await openTrial({
    programs: await load(drawing("plain-leave.bpmn")),
    answers: { answers: { decide: complete({ approved: true }), "book-the-days": complete() } },
  });
  const instance = await trial.start({ variables: { days: 3 } });
  instance.expectPath(["asked", "decide", "granted", "book", "told"]).expectEnd("completed");
});

test("[T40] a drawing of another tool runs in its encoding, with its own conditions and loop", async () => {
  const trial = await openTrial({
    programs: await load(drawing("jbpm-claims.bpmn2")),
    answers: { answers: { Email: complete(), _ask: [complete({ answer: 1 }), complete({ answer: 2 })] } },
  });
  const instance = await trial.start({ variables: { amount: 200, papers: ["a", "b"] } });
  instance.expectEnd("completed");
  expect(instance.view.variables["answers"]).toEqual([1, 2]);
});

test("[T40] Zeebe's mappings, loop and FEEL do what they say", async () => {
  const answers = {
    "payment.charge": complete({ receipt: "R1" }),
    "warehouse.pick": [complete({ parcel: "p1" }), complete({ parcel: "p2" })],
  };
  const trial = await openTrial({ programs: await load(drawing("zeebe-order.bpmn")), answers: { answers } });
  const instance = await trial.start({ variables: { order: { total: 100, lines: [1, 2] } } });
  expect(instance.view.variables).toMatchObject({ receipt: "R1", parcels: ["p1", "p2"] });
  // The process that it calls stands in another file.
  instance.expectWaiting("ship");
});
