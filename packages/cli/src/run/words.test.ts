import type { RunNeed, RunView } from "@tutti/feature";
import { expect, test } from "vitest";
import { stateFolder } from "../state.ts";
import { plain } from "../terminal/style.ts";
import { waysOut } from "./ways-out.ts";
import { asTyped, wordsOf } from "./words.ts";

const wordsIn = (environment: { readonly [name: string]: string }, state?: string): ReturnType<typeof wordsOf> =>
  wordsOf({
    out: { style: plain } as Parameters<typeof wordsOf>[0]["out"],
    environment: { HOME: "/home/ann", ...environment },
    cwd: "/work",
    state: stateFolder(state, { HOME: "/home/ann", ...environment }, "/work"),
  });

test("[C32] commands in a text are what the person can type where they stand", () => {
  const text = "Go on with `tutti resume`; `tutti --help` has more.";
  expect(asTyped(text, wordsIn({}))).toBe(text);
  expect(asTyped(text, wordsIn({ npm_lifecycle_event: "demo" }, "/tmp/demo/state"))).toBe(
    "Go on with `npm run tutti -- resume --state /tmp/demo/state`; `npm run tutti -- --help` has more.",
  );
  expect(asTyped("Ask `git status`.", wordsIn({ npm_lifecycle_event: "tutti" }))).toBe("Ask `git status`.");
});

const view = (change: Partial<RunView>): RunView =>
  ({
    run: "one",
    status: "waiting",
    endedAt: null,
    needsYou: [],
    units: [],
    totals: { done: 1 },
    ...change,
  }) as RunView;
const need = (change: Partial<RunNeed>): RunNeed =>
  ({ kind: "failed-units", code: "units-failed", units: [], ...change }) as RunNeed;

test("[C32] what a run waits for says what a person can type", () => {
  expect(waysOut(view({ status: "running" }))).toEqual([]);
  expect(waysOut(view({ status: "paused" }))).toEqual(["resume one"]);
  expect(waysOut(view({ needsYou: [need({ kind: "approval" })] }))).toEqual(["approve one", "reject one"]);
  expect(waysOut(view({ needsYou: [need({})] }))).toEqual([
    "retry one",
    'accept-partial one --reason "…"',
    "cancel one",
  ]);
  const parked = need({ kind: "incident", code: "conflict-parked" });
  expect(waysOut(view({ needsYou: [parked] }))[0]).toBe("conflict list --run one");
});
