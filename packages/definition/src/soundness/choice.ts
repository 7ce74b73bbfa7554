import type { Evaluation, Expression, Host, Json, VariableScope } from "@tutti/kernel";

/**
 * One way through everything that is left open: asked the same questions in the same order it gives the answers of the
 * script, and beyond its end always the first. `next` is the script of the way after this one.
 */
export class Choices {
  #script: number[] = [];
  #arities: number[] = [];
  readonly #asked: Map<Expression, number> = new Map();

  /** Begins again with a script; an empty one is the first way. */
  begin(script: readonly number[]): void {
    this.#script = [...script];
    this.#arities = [];
    this.#asked.clear();
  }

  /** Throws `CircleGone` when one command asks the same too often: the circle has ways out that were answered before. */
  choose(question: Expression, arity: number): number {
    const times = (this.#asked.get(question) ?? 0) + 1;
    if (times > askedMax) throw new CircleGone();
    this.#asked.set(question, times);
    const at = this.#arities.length;
    this.#arities.push(arity);
    return this.#script[at] ?? 0;
  }

  /** Undefined when all ways have been gone. */
  next(): readonly number[] | undefined {
    for (let at = this.#arities.length - 1; at >= 0; at -= 1) {
      const answer = this.#script[at] ?? 0;
      if (answer + 1 >= (this.#arities[at] ?? 0)) continue;
      return [...Array.from({ length: at }, (_, index) => this.#script[index] ?? 0), answer + 1];
    }
    return undefined;
  }
}

/** As many tokens as may well come to one gateway at once: three collections within each other, of two items each. */
const askedMax = 8;

/** Ends a way on which a token goes in circles without ever waiting. */
export class CircleGone extends Error {
  constructor() {
    super("A token goes in circles within one command");
    this.name = "CircleGone";
  }
}

/** What an abstract expression asks for; its text says which, and for `activate` and `code` what there is. */
export type Question = "condition" | "items" | "activation" | "activate" | "code" | "nothing";

export function asks(question: Question, detail = ""): Expression {
  return { language: "cel", text: detail === "" ? question : `${question} ${detail}` };
}

/** Answers every condition both ways, and every collection with none, one and two items. Time never passes. */
export function choosingHost(choices: Choices): Host {
  return {
    evaluate: (expression, scope) => answer(choices, expression, scope),
    nextDue: (timer, _value, from) => ({ ok: true, due: from, remaining: timer.kind === "cycle" ? null : 0 }),
  };
}

function answer(choices: Choices, expression: Expression, scope: VariableScope): Evaluation {
  const [question, detail = ""] = expression.text.split(" ", 2);
  switch (question) {
    case "condition":
      return given(choices.choose(expression, 2) === 0);
    case "items":
      return given(["a", "b"].slice(0, [1, 2, 0][choices.choose(expression, 3)]).map((key) => ({ key })));
    case "activation": {
      // Once everything that can come has come, waiting on would be waiting for ever.
      const [arrived, expected] = [scope.get("arrived"), scope.get("expected")];
      const all = typeof arrived === "number" && typeof expected === "number" && arrived >= expected;
      return given(all || choices.choose(expression, 2) === 0);
    }
    case "activate": {
      const ids = detail === "" ? [] : detail.split(",");
      const chosen = choices.choose(expression, ids.length + 2);
      return given(chosen === 0 ? ids : chosen === 1 ? [] : [ids[chosen - 2] ?? ""]);
    }
    case "code": {
      const codes = detail === "" ? [] : detail.split(",").map(decodeURIComponent);
      return given(codes[choices.choose(expression, codes.length + 1)] ?? "any other code");
    }
    default:
      return given(null);
  }
}

function given(value: Json): Evaluation {
  return { ok: true, value };
}
