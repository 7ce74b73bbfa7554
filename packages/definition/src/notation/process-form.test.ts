import type { Json, ProgramDocument } from "@tutti/kernel";
import { expect, test } from "vitest";
import { compileYaml } from "../compile.ts";
import { withoutPositions } from "../hash.ts";
import { compileArrows } from "./arrows.ts";

// What an arrow stands for is what a person would have written out. Where things stand in the text is left out, and the
// order of elements: it means nothing. That of the flows out of one element does.

function contentOf(program: ProgramDocument | undefined, problems: readonly unknown[]): Json {
  if (program === undefined) throw new Error(JSON.stringify(problems));
  const { source: _source, hash: _hash, ...document } = program;
  const flows = [...document.flows].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const elements = [...document.elements]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((element) => {
      const { defaultFlow, ...rest } = element as typeof element & { readonly defaultFlow?: string };
      // The process form says of the only way out of a gateway that it is taken otherwise, too.
      const ways = flows.filter(({ from }) => from === element.id);
      return ways.length === 1 ? rest : element;
    });
  return withoutPositions({ ...document, elements, flows } as unknown as Json);
}

test.each([
  ["a sequence", "a → b → c", "steps: { a: { job: a }, b: { job: b }, c: { job: c } }"],
  [
    "a parallel split and its join",
    "a → [b & c → d] → e",
    `steps:
  a: { job: a }
  fork-1: { fork: [b, c] }
  b: { job: b, then: join-1 }
  c: { job: c }
  d: { job: d }
  join-1: { join: true }
  e: { job: e }`,
  ],
  [
    "a choice, whose ways meet",
    "a → (x > 1 ? b : c) → d",
    `variables: { x: any }
steps:
  a: { job: a }
  choice-1: { choose: [{ when: x > 1, name: "yes", then: b }, { otherwise: c, name: "no" }] }
  b: { job: b, then: merge-1 }
  c: { job: c, then: merge-1 }
  merge-1: { choose: [{ otherwise: d }] }
  d: { job: d }`,
  ],
  [
    "a step for each entry of a list",
    "[docs] >> summarize → summaries\n→ {summaries}",
    `variables: { docs: any, summaries: any }
outputs: [summaries]
steps:
  summarize: { job: summarize, forEach: { collection: "= docs", mode: parallel, output: { summaries: "= result" } } }`,
  ],
  [
    "a step with arguments, an agent and a result",
    "search(limit: 2.0) @agent_b → score\n→ {score}",
    `variables: { score: any }
outputs: [score]
steps:
  search: { job: search, headers: { agent: agent_b }, in: { limit: = 2.0 }, out: { score: = score } }`,
  ],
])("[D190] [D191] [D192] it is the program of the process form: %s", (_what, arrows, steps) => {
  const short = compileArrows(arrows, { id: "p", file: "t" });
  const long = compileYaml(`process: p\n${steps}\n`, { file: "t" });
  expect(contentOf(short.program, short.problems)).toEqual(contentOf(long.programs[0], long.problems));
});
