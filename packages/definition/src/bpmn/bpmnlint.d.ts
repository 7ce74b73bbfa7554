declare module "bpmnlint/lib/linter.js" {
  interface Rule {
    readonly meta?: { readonly documentation?: { readonly url?: string } };
  }
  class Linter {
    constructor(options: { readonly resolver: object });
    resolveRules(config: {
      readonly extends: string;
    }): Promise<readonly { readonly name: string; readonly rule: Rule }[]>;
  }
  export = Linter;
}

declare module "bpmnlint/lib/resolver/node-resolver.js" {
  class NodeResolver {
    constructor(options: { readonly require: object });
  }
  export = NodeResolver;
}

declare module "bpmnlint/lib/test-rule.js" {
  import type { ModelElement } from "bpmn-moddle";

  interface Report {
    readonly id?: string;
    readonly message: string;
  }
  const testRule: (options: { readonly moddleRoot: ModelElement; readonly rule: object }) => readonly Report[];
  export = testRule;
}
