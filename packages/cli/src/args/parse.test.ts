import type { AppError } from "@tutti/kernel";
import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";
import { parse, type Syntax } from "./parse.ts";

const syntax: Syntax = {
  name: "run",
  options: {
    repo: { value: "DIR", help: "" },
    env: { value: "NAME", help: "", repeated: true },
    approve: { help: "" },
    threshold: { value: "SHARE", help: "" },
  },
  arguments: [{ name: "FEATURE", help: "", required: true }],
};

function refusal(...argv: readonly string[]): string {
  try {
    parse(syntax, argv);
  } catch (error) {
    const { code, message } = error as AppError;
    return `${code}: ${message}`;
  }
  return "taken";
}

test("options, switches and arguments are read wherever they stand", () => {
  const input = parse(syntax, ["--repo=/x", "dark mode", "--env", "A", "--env", "B", "--approve", "--json", "-q"]);
  expect(input.text("repo")).toBe("/x");
  expect(input.argument(0)).toBe("dark mode");
  expect(input.list("env")).toEqual(["A", "B"]);
  expect([input.flag("approve"), input.flag("json"), input.flag("quiet"), input.flag("detach")]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(parse(syntax, ["--", "--not-an-option"]).argument(0)).toBe("--not-an-option");
});

test.each([
  [["--help"], "taken"],
  [[], "argument-missing: Expected FEATURE after 'tutti run', but there is none"],
  [["a", "b"], "argument-unexpected: 'tutti run' does not know what to do with 'b'"],
  [["a", "--rpeo", "x"], "option-unknown: 'tutti run' has no option --rpeo; did you mean --repo?"],
  [["a", "--zzz"], "option-unknown: 'tutti run' has no option --zzz"],
  [["a", "-x"], "option-unknown: 'tutti run' has no option -x"],
  [["a", "--repo"], "option-invalid: Expected --repo DIR, but there is no value"],
  [["a", "--repo", "--approve"], "option-invalid: Expected --repo DIR, but there is no value"],
  [["a", "--repo", "x", "--repo", "y"], "option-invalid: Expected --repo once, but it is there again"],
  [["a", "--approve=yes"], "option-invalid: Expected --approve without a value, but got 'yes'"],
] as const)("[C10] %j: %s", (argv, expected) => {
  expect(refusal(...argv)).toBe(expected);
});

test.each(["", "x", "2", "-1", "NaN"])("a number that does not fit its limits is refused: '%s'", (text) => {
  const input = parse(syntax, ["a", `--threshold=${text}`]);
  expect(() => input.number("threshold", { min: 0, max: 1, fraction: true })).toThrow(
    "Expected --threshold to be a number",
  );
});

test("[C10] the nearest word is found by slips of the hand, and nothing is guessed from afar", () => {
  const words = ["status", "stop", "show", "serve", "retry", "resume"];
  expect(["statsu", "sho", "rertry", "resum"].map((word) => nearest(word, words))).toEqual([
    "status",
    "show",
    "retry",
    "resume",
  ]);
  expect(nearest("frobnicate", words)).toBeUndefined();
});
