import type { Problem } from "@tutti/definition";
import { type Place, Problems, readYaml, reportIssues } from "@tutti/definition/reading";
import type { ProgramDocument } from "@tutti/kernel";
import { type AnswersFile, answersSchema } from "./answer-schema.ts";
import type { Answer, Answers, Posting } from "./answers.ts";
import { isDuration } from "./duration.ts";
import { askersOf, computesJobTypes } from "./programs.ts";

/**
 * Reads an answers file. Never throws for bad input. `programs` are those the answers are for: a name that is neither an
 * element nor a job type of theirs is an error, for it would answer nothing.
 */
export function readAnswers(
  text: string,
  options: { readonly file: string; readonly programs: readonly ProgramDocument[] },
): { readonly answers?: Answers; readonly problems: readonly Problem[] } {
  const problems = new Problems(options.file);
  const [document, second] = readYaml(text, problems);
  if (second !== undefined) problems.error("schema-invalid", "Expected one document, but found more", second.place([]));
  if (document === undefined) {
    if (problems.errors === 0) problems.error("schema-invalid", "Expected answers, but the file is empty", start);
    return { problems: problems.list() };
  }
  const { value, place } = document;
  const parsed = answersSchema.safeParse(value);
  if (!parsed.success) {
    reportIssues(parsed.error.issues, { value, problems, place });
    return { problems: problems.list() };
  }
  check(parsed.data, { problems, place, programs: options.programs });
  if (problems.errors > 0) return { problems: problems.list() };
  const { answers = {}, publish = [] } = parsed.data;
  return { answers: { answers, publish }, problems: problems.list() };
}

const start = { line: 1, column: 1 };

interface Site {
  readonly problems: Problems;
  readonly place: Place;
  readonly programs: readonly ProgramDocument[];
}

function check(file: AnswersFile, site: Site): void {
  const { problems, place, programs } = site;
  const known = askersOf(programs);
  const anyType = computesJobTypes(programs);
  for (const [name, given] of Object.entries(file.answers ?? {})) {
    if (!known.has(name) && !anyType) {
      const message = `Expected an element that is answered or a type of job, but there is no ${JSON.stringify(name.slice(0, 80))}`;
      problems.error("element-unknown", message, place(["answers", name], "key"));
    }
    const list = Array.isArray(given) ? given : [given];
    for (const [index, answer] of list.entries()) {
      checkAnswer(answer, Array.isArray(given) ? ["answers", name, index] : ["answers", name], site);
    }
  }
  for (const [index, posting] of (file.publish ?? []).entries()) checkPosting(posting, ["publish", index], site);
}

function checkPosting(posting: Posting, path: readonly (string | number)[], site: Site): void {
  const { problems, place, programs } = site;
  if ("message" in posting === "signal" in posting) {
    problems.error("schema-invalid", "Expected either a message or a signal, but found another mix", place(path));
  } else if ("signal" in posting && ("key" in posting || "ttl" in posting)) {
    problems.error("schema-invalid", "Expected no key and no ttl of a signal, but found one", place(path));
  }
  const { on, after } = posting;
  if (on !== undefined && !programs.some(({ elements }) => elements.some(({ id }) => id === on))) {
    const message = `Expected an element, but there is no ${JSON.stringify(on.slice(0, 80))}`;
    problems.error("element-unknown", message, place([...path, "on"]));
  }
  checkDuration(after, [...path, "after"], site);
  if ("message" in posting) checkDuration(posting.ttl, [...path, "ttl"], site);
}

function checkAnswer(answer: Answer, path: readonly (string | number)[], { problems, place, programs }: Site): void {
  const given = (["complete", "fail", "throw", "ignore"] as const).filter((key) => answer[key] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? "none" : given.join(" and ");
    problems.error(
      "schema-invalid",
      `Expected exactly one of complete, fail, throw, ignore, but found ${found}`,
      place(path),
    );
  }
  checkDuration(answer.after, [...path, "after"], { problems, place, programs });
}

function checkDuration(text: string | undefined, path: readonly (string | number)[], { problems, place }: Site): void {
  if (text === undefined || isDuration(text)) return;
  const message = `Expected a duration such as 2h or PT2H, but found ${JSON.stringify(text.slice(0, 80))}`;
  problems.error("duration-invalid", message, place(path));
}
