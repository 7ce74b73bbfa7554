import { compile } from "@tutti/definition";
import { expect, test } from "vitest";
import type { Answer } from "./answers.ts";
import { openTrial, type Trial } from "./trial.ts";

const { programs } = compile(
  `
process: tidy
variables: { found: number }
outputs: [found]
steps:
  room:
    adhoc: {}
    steps:
      dust: { user: { title: Dust } }
      sweep: { user: { title: Sweep }, out: [found], then: polish }
      polish: { manual: true }
`,
  { file: "tidy.yaml" },
);

async function tidied(room: Answer | readonly Answer[]): Promise<Trial> {
  const answers = { room, dust: { complete: {}, after: "1h" }, sweep: { complete: { found: 5 } } };
  const trial = await openTrial({ programs, answers: { answers } });
  await trial.start();
  await trial.finish();
  return trial;
}

test("[T15] one answer says what is activated, and that is all", async () => {
  const { instances } = await tidied({ complete: { activate: ["dust", "sweep"] } });
  instances[0]?.expectEnd("completed", { found: 5 }).expectPath(["start", "room", "dust", "sweep", "polish", "end"]);
});

test("[T15] answers of a list follow one another, each when its time has come", async () => {
  const trial = await tidied([
    { complete: { activate: "dust" } },
    { complete: { activate: ["dust"] }, after: "3h", by: "ann" },
  ]);
  expect(trial.instances[0]?.path).toEqual(["start", "room", "dust", "dust", "end"]);
  expect(trial.lastEventAt).toBe(Date.UTC(2024, 0, 1, 4));
});

test("[T15] whoever says that they are not done is asked again", async () => {
  const trial = await tidied({ complete: { activate: ["dust"], done: false } });
  await trial.advance("1h");
  trial.instances[0]?.expectWaiting("room");
  expect(trial.unanswered).toMatchObject([{ kind: "choice", element: "room", input: { elements: ["dust", "sweep"] } }]);
  await trial.answer("room", { complete: {} });
  trial.instances[0]?.expectEnd("completed");
});

test("[T15, T8] what cannot be activated is listed with the reason", async () => {
  const { refusals } = await tidied({ complete: { activate: ["polish"] } });
  expect(refusals).toMatchObject([{ question: { element: "room" }, reason: expect.stringContaining("polish") }]);
});
