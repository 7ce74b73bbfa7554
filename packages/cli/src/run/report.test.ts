import { expect, test } from "vitest";
import { stateFolder } from "../state.ts";
import { plain } from "../terminal/style.ts";
import { viewOf } from "../testing/view.ts";
import { finalReport, type Words } from "./report.ts";

const words: Words = { style: plain, state: stateFolder("/state", {}, "/"), tutti: (rest) => `tutti ${rest}` };
const error = { code: "cancelled", message: "Enough" };

test.each(["failed", "cancelled"] as const)("[C45] a run that %s says what it left in the repository", (status) => {
  const untouched = finalReport(viewOf({ status, error }), words);
  expect(untouched).toContain("Nothing was published; the repository is unchanged.");
  const published = { branch: "tutti/x", commit: "c".repeat(40), partial: false, body: "" } as const;
  const late = finalReport(viewOf({ status, error, published }), words);
  expect(late).toContain("Before that it published branch tutti/x in /code/app.");
  expect(late).not.toContain("Nothing was published");
});
