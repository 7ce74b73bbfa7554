import { expect, test } from "vitest";
import { load } from "./load-definition.ts";
import { openTrial } from "./trial.ts";

const order = new URL("../../definition/examples/order.yaml", import.meta.url);
const lines = [
  { sku: "a", shelf: "1" },
  { sku: "b", shelf: "1", after: ["a"] },
];

test("smoke", async () => {
  const programs = await load(order);
  const shipment = { ...programs[0]!, id: "shipment" };
  void shipment;
  const trial = await openTrial({
    programs,
    answers: {
      answers: {
        "payment.charge": { complete: { receipt: "R1" }, after: "2h" },
        "warehouse.pick": { complete: { weight: 2.5 } },
        "mail.confirm": { complete: { sent: true } },
      },
    },
  });
  const t0 = performance.now();
  const instance = await trial.start({ variables: { order_id: "o1", lines, notes: ["n"] } });
  console.log(instance.path, instance.waitingAt, trial.unanswered, trial.unused());
  await trial.advance("2h");
  console.log(instance.path, instance.waitingAt, instance.incidents);
  console.log(await trial.finish(), new Date(trial.now).toISOString(), performance.now() - t0, trial.writes);
  console.log(instance.path, instance.waitingAt, instance.view.incidents);
  await trial.close();
  expect(1).toBe(1);
});
import { expectCrashProof } from "./crash.ts";
test("crash", async () => {
  const programs = await load(order);
  const n = await expectCrashProof(
    {
      programs,
      answers: {
        answers: {
          "payment.charge": [{ fail: "busy" }, { complete: { receipt: "R1" }, after: "20s" }],
          "warehouse.pick": { complete: { weight: 2.5 } },
          "mail.confirm": { complete: { sent: true } },
        },
      },
    },
    async (trial) => {
      const instance = await trial.start({ variables: { order_id: "o1", lines, notes: ["n"] } });
      await trial.finish();
      console.log(instance.path.join(" "), instance.view.status);
    },
  );
  console.log(n);
});
