import { isBuiltin } from "./builtin.ts";
import type { FeelNode } from "./parse.ts";
import { type Evaluating, FeelFailure, type Run } from "./run.ts";
import { normalName } from "./value.ts";

export type Compile = (node: FeelNode, compiler: FeelCompiler) => Run;

/** A name of several words; the grammar gives them one by one, unless the names were known beforehand. */
export function nameOf(node: FeelNode): string {
  return normalName(node.text);
}

/** Compiles the nodes of one expression; `reads` collects the variables it needs from outside. */
export class FeelCompiler {
  readonly run: Evaluating;
  readonly reads: Set<string> = new Set();
  /** Names that loops, functions and contexts around the node give a meaning. */
  readonly #bound: string[] = [];

  readonly #compilers: { readonly [kind: string]: Compile };

  constructor(run: Evaluating, compilers: { readonly [kind: string]: Compile }) {
    this.run = run;
    this.#compilers = compilers;
  }

  compile(node: FeelNode): Run {
    const compileKind = this.#compilers[node.kind];
    if (compileKind === undefined) throw this.refused(node, `Expected FEEL that Tutti knows, but found ${node.kind}`);
    return compileKind(node, this);
  }

  /** The part of a node, which its grammar promises. */
  part(node: FeelNode, index: number): FeelNode {
    const found = node.parts.at(index);
    if (found === undefined) throw this.refused(node, "Expected a whole expression, but it ends early");
    return found;
  }

  /** Compiles what stands where these names mean something of their own. */
  within<T>(names: readonly string[], compile: () => T): T {
    this.#bound.push(...names);
    try {
      return compile();
    } finally {
      this.#bound.length -= names.length;
    }
  }

  read(name: string): void {
    if (!this.#bound.includes(name) && !isBuiltin(name)) this.reads.add(name);
  }

  refused(node: FeelNode, message: string): FeelFailure {
    return new FeelFailure("expression-function-refused", `${message} at character ${node.from + 1}`);
  }
}
