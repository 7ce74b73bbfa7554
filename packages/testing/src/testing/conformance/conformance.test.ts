import { readFileSync } from "node:fs";
import { compile } from "@tutti/definition";
import { expect, test } from "vitest";
import { openTrial } from "../../trial.ts";
import { conformancePage, groups } from "./page.ts";
import { fileOf, type Row, shown } from "./row.ts";

const rows = groups.flatMap(([group, found]) =>
  found.map((row): [string, Row] => [`${group}, ${row.clause}: ${row.says}`, row]),
);

test.each(rows)("[T53] %s", async (_title, row) => {
  const { path, end, variables } = await shown(row);
  expect({ path, end }).toEqual({ path: row.path, end: row.end ?? "completed" });
  expect(variables).toMatchObject(row.leaves ?? {});
});

test("[T10] whoever starts a process may name another of its start events", async () => {
  const row = rows.find(([, { says }]) => says.startsWith("none start events of one process"))?.[1];
  const { programs } = compile(fileOf(row ?? { drawing: "" }), { file: "starts.bpmn" });
  const trial = await openTrial({ programs });
  (await trial.start({ start: "t" })).expectPath(["t", "b"]);
  await expect(trial.start({ start: "a" })).rejects.toMatchObject({ code: "start-refused" });
});

test("[T53] the page has every row, and each names a rule that is there", () => {
  const page = new URL("../../../../../docs/reference/conformance.md", import.meta.url);
  expect(readFileSync(page, "utf8"), "npm run docs:conformance writes it").toBe(conformancePage());
  const rules = new Set(
    ["kernel/SPEC.md", "definition/SPEC.md"].flatMap((file) => {
      const text = readFileSync(new URL(`../../../../${file}`, import.meta.url), "utf8");
      return [...text.matchAll(/^- \*\*([KD]\d+)\*\*/gm)].map(([, id]) => id);
    }),
  );
  const cited = rows.flatMap(([, row]) => row.rules.split(" "));
  expect(cited.filter((rule) => !rules.has(rule))).toEqual([]);
});

test("[T53] a row says something that no other says", () => {
  const said = rows.map(([title]) => title);
  expect(said.filter((title, index) => said.indexOf(title) !== index)).toEqual([]);
});
