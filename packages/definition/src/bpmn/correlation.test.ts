import { expect, test } from "vitest";
import { drawing, line, problemsOf, programOf } from "../testing/drawing.ts";
import { compileBpmn } from "./import.ts";

const retrieval = (message: string, path: string) =>
  `<correlationPropertyRetrievalExpression messageRef="${message}"><messagePath>${path}</messagePath></correlationPropertyRetrievalExpression>`;
const catching = (id: string, message: string) =>
  `<intermediateCatchEvent id="${id}"><messageEventDefinition messageRef="${message}"/></intermediateCatchEvent>`;
const throwing = (id: string, message: string, inside = "") =>
  `<intermediateThrowEvent id="${id}">${inside}<messageEventDefinition messageRef="${message}"/></intermediateThrowEvent>`;
const messages = `<message id="ask" name="ask"/><message id="reply" name="reply"/>`;
const begin = `<startEvent id="s"/>`;

/** The correlation key of each event, without its place. */
function keysOf(text: string): Record<string, unknown> {
  const { documents, problems } = compileBpmn(text, { file: "t.bpmn" });
  expect(problems).toEqual([]);
  const keys = documents.flatMap(({ elements }) =>
    elements.flatMap((element) => {
      const trigger = "trigger" in element ? element.trigger : undefined;
      if (trigger?.type !== "message") return [];
      const { position: _position, ...key } = (trigger.message.correlationKey ?? {}) as Record<string, unknown>;
      return [[element.id, key]];
    }),
  );
  return Object.fromEntries(keys);
}

test("[D212] a subscription binds several properties: their values make one key, in the order of the file", () => {
  const binding = (property: string, path: string) =>
    `<correlationPropertyBinding correlationPropertyRef="tns:${property}"><dataPath>${path}</dataPath></correlationPropertyBinding>`;
  const subscription = `<correlationSubscription id="cs" correlationKeyRef="k">${binding("year", "=year(ordered)")}${binding("number", "order")}</correlationSubscription>`;
  const roots = [
    `<correlationProperty id="number">${retrieval("reply", "n")}</correlationProperty>`,
    `<correlationProperty id="year">${retrieval("reply", "y")}</correlationProperty>`,
    `<correlationProperty id="other">${retrieval("ask", "z")}</correlationProperty>`,
    messages,
  ];
  const text = drawing([subscription, begin, catching("c", "reply"), ...line("s", "c")], roots);
  expect(keysOf(text)).toEqual({ c: { language: "feel", text: `string(order) + "\u241F" + string(year(ordered))` } });
  const mixed = text.replace("<dataPath>order<", "<dataPath>${order.id + 1}<");
  expect(problemsOf(mixed)[0]).toContain(
    "found a correlation key whose properties are in several expression languages",
  );
});

test("[D212] who sends reads the key from what is sent; who waits for the answer has what was sent first", () => {
  const payload = `<extensionElements><zeebe:ioMapping><zeebe:input source="=order.id" target="n"/></zeebe:ioMapping></extensionElements>`;
  const other = `<process id="q" isExecutable="true"><startEvent id="qs"><messageEventDefinition messageRef="ask"/></startEvent>${throwing("qt", "reply")}<sequenceFlow id="qf" sourceRef="qs" targetRef="qt"/></process>`;
  const roots = [
    other,
    messages,
    `<correlationProperty id="number">${retrieval("ask", "n")}${retrieval("reply", "re")}</correlationProperty>`,
    `<collaboration id="co"><correlationKey id="k"><correlationPropertyRef>number</correlationPropertyRef></correlationKey></collaboration>`,
  ];
  const text = drawing([begin, throwing("t", "ask", payload), catching("c", "reply"), ...line("s", "t", "c")], roots);
  expect(keysOf(text)).toEqual({
    t: { language: "feel", text: "order.id" },
    c: { variable: "n" },
    // What begins a process belongs to no conversation yet.
    qs: {},
    qt: { variable: "re" },
  });
});

test("[D212] the first message of a conversation has no key to be compared with; keys are read as a whole or not at all", () => {
  const roots = [
    messages,
    `<correlationProperty id="a">${retrieval("ask", "a")}${retrieval("reply", "ra")}</correlationProperty>`,
    `<correlationProperty id="b">${retrieval("ask", "b")}</correlationProperty>`,
    `<collaboration id="co"><correlationKey><correlationPropertyRef>a</correlationPropertyRef><correlationPropertyRef>b</correlationPropertyRef></correlationKey><conversation id="v"><correlationKey><correlationPropertyRef>a</correlationPropertyRef></correlationKey></conversation></collaboration>`,
  ];
  const text = drawing([begin, catching("c", "ask"), catching("d", "reply"), ...line("s", "c", "d")], roots);
  expect(keysOf(text)).toEqual({ c: {}, d: { variable: "a" } });
  expect(programOf(text).variables.map(({ name }) => name)).toEqual(["a"]);
});
