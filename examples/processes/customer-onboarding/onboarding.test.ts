import { test } from "node:test";
import { expectCrashProof, load, openTrial } from "@tutti/testing";

const programs = await load(new URL("process.yaml", import.meta.url));
const done = { complete: {} };
const answers = {
  TrialAgent: done,
  EmailAgent: [{ fail: "mail-server-busy" }, done],
  AnalyticsAgent: { complete: { converted: true, engagement_score: 9 } },
  AccountAgent: done,
};
const variables = { customer_id: "c1" };

test("a customer who converts is activated after seven days, not before", async () => {
  const trial = await openTrial({ programs, answers: { answers } });
  const customer = await trial.start({ variables });
  await trial.advance("6d");
  customer.expectWaiting("trial_period").expectNever("evaluate_usage");
  await trial.advance("1d1s");
  customer.expectOrder(["trial_period", "evaluate_usage", "activate_account"]).expectEnd("completed");
  await trial.close();
});

test("a customer of whom nobody knows whether they converted is an incident, and can be helped", async () => {
  const unknown = { ...answers, AnalyticsAgent: { complete: { engagement_score: 9 } } };
  const trial = await openTrial({ programs, answers: { answers: unknown } });
  const customer = await trial.start({ variables });
  await trial.advance("8d");
  customer.expectIncidents("no-route");
  const [incident] = customer.view.incidents;
  const by = { reason: "they called", actor: "support" };
  await trial.command(customer.id, { type: "set-variables", scope: 0, values: { converted: true }, ...by });
  await trial.command(customer.id, { type: "resolve-incident", key: incident?.key ?? 0, action: "retry", ...by });
  customer.expectEnd("completed").expectVariables({ converted: true });
  await trial.close();
});

test("a crash changes nothing, whenever it comes", async () => {
  await expectCrashProof({ programs, answers: { answers } }, async (trial) => {
    const customer = await trial.start({ variables });
    await trial.finish();
    customer.expectEnd("completed");
  });
});
