/** Signs of the shorthand notation that no process can run, and what says the same here. */
const refused: readonly { readonly sign: RegExp; readonly instead: string }[] = [
  { sign: /^~/u, instead: "~ matches roughly, which is nothing that a replay would repeat; let a step decide it" },
  {
    sign: /^>>/u,
    instead: ">> goes through one list; hand its results on with → and go through them in the next line",
  },
  { sign: /^\?\?/u, instead: "?? is not there; write a condition, such as has(x) ? a : b" },
  { sign: /^∉/u, instead: "∉ is not there; write !(a ∈ b)" },
  { sign: /^(?:∪|∩|\+\+)/u, instead: "sets are put together by a step, or as x = a + b" },
  { sign: /^\.\.\./u, instead: "... is not there; name the fields one by one" },
  { sign: /^&(?!&)/u, instead: "& stands between steps in one pair of brackets: [a & b]" },
  { sign: /^#/u, instead: "# is no count, and begins a comment only at the start of a line or after two spaces" },
  { sign: /^[\p{L}_]\S* in\b/u, instead: "a loop is written [list] >> step" },
  { sign: /^\p{Extended_Pictographic}/u, instead: "a picture means nothing to a process; write the word" },
];

/** Why what stands here is refused, when the notation has it and processes do not. */
export function whyRefused(rest: string): string | undefined {
  return refused.find(({ sign }) => sign.test(rest))?.instead;
}

const inExpressions = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(∉|∪|∩|\?\?|\.\.\.)/gu;

/** Where such a sign stands in an expression, outside of texts. */
export function refusedIn(expression: string): number | undefined {
  for (const match of expression.matchAll(inExpressions)) if (match[1] !== undefined) return match.index;
  return undefined;
}
