import { expect, test } from "vitest";
import { around, drawing } from "../testing/drawing.ts";
import { compileBpmn } from "./import.ts";

test("[D212] both ends of a message flow mean the same message", () => {
  const collaboration = (flow: string) =>
    `<collaboration id="c"><participant id="a" processRef="p"/><participant id="b" processRef="q"/><messageFlow id="mf" sourceRef="t" targetRef="r" ${flow}/></collaboration><message id="m" name="Order"/><process id="q" isExecutable="true"><startEvent id="r"><messageEventDefinition/></startEvent></process>`;
  const names = (flow: string) => {
    const text = drawing(around(`<intermediateThrowEvent id="t"><messageEventDefinition/></intermediateThrowEvent>`), [
      collaboration(flow),
    ]);
    const { documents, problems } = compileBpmn(text, { file: "t" });
    expect(problems).toEqual([]);
    return documents.map(
      (program) =>
        JSON.stringify(program.elements.map((element) => ("trigger" in element ? element.trigger : {}))).match(
          /"literal":"([^"]+)"/,
        )?.[1],
    );
  };
  expect(names("")).toEqual(["mf", "mf"]);
  expect(names(`name="call"`)).toEqual(["call", "call"]);
  expect(names(`messageRef="m"`)).toEqual(["Order", "Order"]);
});

test("[D231] what is sent has the name that its receiver waits for, and a missing reference is the other end's", () => {
  const ends = (sender: string, receiver: string, flow = "") => {
    const collaboration = `<collaboration id="c"><messageFlow id="mf" sourceRef="t" targetRef="r"${flow}/></collaboration><message id="m" name="Sent"/><message id="n" name="Awaited"/><process id="q" isExecutable="true"><receiveTask id="r"${receiver}/></process>`;
    const { documents, problems } = compileBpmn(drawing(around(`<sendTask id="t"${sender}/>`), [collaboration]), {
      file: "t",
    });
    const [t, r] = documents.flatMap((program) => program.elements.filter((element) => "message" in element));
    const nameOf = (element: unknown) => (element as { message: { name: { literal: string } } }).message.name.literal;
    return [nameOf(t), nameOf(r), problems.filter(({ code }) => code === "bpmn-invalid").map(({ message }) => message)];
  };
  const [m, n] = [` messageRef="m"`, ` messageRef="n"`];
  const other =
    "Expected one message at both ends of the flow, but Sent is sent and Awaited is awaited: it is sent as Awaited (in t)";
  expect(ends(m, n)).toEqual(["Awaited", "Awaited", [other]]);
  expect(ends(m, m)).toEqual(["Sent", "Sent", []]);
  expect(ends(m, "")).toEqual(["Sent", "Sent", []]);
  expect(ends(m, "", n)).toEqual(["Awaited", "Awaited", [other]]);
});
