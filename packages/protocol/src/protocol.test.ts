import { expect, test } from "vitest";
import { runCommandSchema } from "./command.ts";
import { cursorText, parseCursor } from "./event.ts";
import { problemSchema, problemType } from "./problem.ts";
import { startRunSchema } from "./start.ts";

const start = {
  id: "dark-mode-k3x9aa",
  feature: "Dark mode",
  actor: "person:ada",
  repository: { root: "/code/app", commonDir: "/code/app/.git", branch: "main", commit: "a".repeat(40) },
  plan: null,
  options: { agent: "scripted" },
};

test("a request to start a run is taken as it is sent", () => {
  expect(startRunSchema.parse(start)).toEqual(start);
});

test.each([
  ["an id that is no folder name", { id: "../up" }],
  ["an id with capitals", { id: "Dark" }],
  ["no feature", { feature: "" }],
  ["a commit that git would read as an option", { repository: { ...start.repository, commit: "--upload-pack=x" } }],
  ["a commit that is a branch", { repository: { ...start.repository, commit: "main" } }],
  ["options that are no object", { options: [] }],
  ["something that nobody knows", { surprise: true }],
])("a request with %s is refused", (_what, change) => {
  expect(startRunSchema.safeParse({ ...start, ...change }).success).toBe(false);
});

test.each([
  ["an unknown type", { type: "explode", actor: "a" }],
  ["nobody behind it", { type: "resume", actor: "" }],
  ["no reason to accept a part", { type: "accept-partial", reason: "", actor: "a" }],
  ["a limit of nothing", { type: "adjust", maxParallel: 0, actor: "a" }],
])("a command with %s is refused", (_what, command) => {
  expect(runCommandSchema.safeParse(command).success).toBe(false);
});

test("a cursor is the same after its way through a header, and nothing else is one", () => {
  expect(parseCursor(cursorText({ position: 12, index: 3 }))).toEqual({ position: 12, index: 3 });
  for (const text of ["", "12", "12.", ".3", "-1.0", "1.2.3", "1e3.0", "9".repeat(20)]) {
    expect(parseCursor(text)).toBeUndefined();
  }
});

test("a problem names the heading of its code in the reference", () => {
  const problem = {
    type: problemType("run-unknown"),
    title: "run-unknown",
    status: 404,
    code: "run-unknown",
    detail: "There is none.",
    place: null,
    advice: "See the list.",
    exit: 2,
    details: {},
  };
  expect(problemSchema.parse(problem)).toEqual(problem);
  expect(problem.type).toBe("docs/reference/errors.md#run-unknown");
});
