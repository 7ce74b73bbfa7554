import { compileBpmn } from "@tutti/definition";
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

/** A customer asks, and waits for the reply to the own order; a shop replies to any. The key is BPMN's own. */
const conversation = `
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
  <process id="customer" isExecutable="true">
    <correlationSubscription id="about" correlationKeyRef="key">
      <correlationPropertyBinding correlationPropertyRef="number"><dataPath>=order</dataPath></correlationPropertyBinding>
    </correlationSubscription>
    <startEvent id="asked"/>
    <intermediateCatchEvent id="told">
      <extensionElements><zeebe:ioMapping><zeebe:output source="=text" target="text"/></zeebe:ioMapping></extensionElements>
      <messageEventDefinition messageRef="reply"/>
    </intermediateCatchEvent>
    <endEvent id="content"/>
    <sequenceFlow id="c1" sourceRef="asked" targetRef="told"/><sequenceFlow id="c2" sourceRef="told" targetRef="content"/>
  </process>
  <process id="shop" isExecutable="true">
    <startEvent id="begun"/>
    <intermediateThrowEvent id="replies">
      <extensionElements><zeebe:ioMapping>
        <zeebe:input source="=about" target="n"/><zeebe:input source="=&quot;for &quot; + string(about)" target="text"/>
      </zeebe:ioMapping></extensionElements>
      <messageEventDefinition messageRef="reply"/>
    </intermediateThrowEvent>
    <endEvent id="done"/>
    <sequenceFlow id="s1" sourceRef="begun" targetRef="replies"/><sequenceFlow id="s2" sourceRef="replies" targetRef="done"/>
  </process>
  <message id="reply" name="reply"/>
  <correlationProperty id="number">
    <correlationPropertyRetrievalExpression messageRef="reply"><messagePath>=n</messagePath></correlationPropertyRetrievalExpression>
  </correlationProperty>
  <collaboration id="both">
    <participant id="p1" processRef="customer"/><participant id="p2" processRef="shop"/>
    <correlationKey id="key"><correlationPropertyRef>number</correlationPropertyRef></correlationKey>
  </collaboration>
</definitions>`;

test("[D212] of two that wait for one message each gets its own, by BPMN's correlation properties", async () => {
  const { documents, problems } = compileBpmn(conversation, { file: "conversation.bpmn" });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  const trial = await openTrial({ programs: documents });
  const customers = [
    await trial.start({ process: "customer", variables: { order: 1 } }),
    await trial.start({ process: "customer", variables: { order: 2 } }),
  ];
  // The second is answered first, and one about whom nobody asked gets nothing.
  for (const about of [7, 2]) await trial.start({ process: "shop", variables: { about } });
  customers[0]?.expectWaiting("told");
  customers[1]?.expectEnd("completed").expectVariables({ text: "for 2" });
  await trial.start({ process: "shop", variables: { about: 1 } });
  customers[0]?.expectEnd("completed").expectVariables({ text: "for 1" });
});
