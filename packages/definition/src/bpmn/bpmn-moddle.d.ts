declare module "bpmn-moddle" {
  /** An element as modelers hold it; lists are created as they are asked for. */
  export interface ModelElement {
    readonly $type: string;
    readonly id?: string;
    /** What a file and a process or sub-process contain; absent in all else. */
    readonly rootElements?: readonly ModelElement[];
    readonly flowElements?: readonly ModelElement[];
    get(name: string): unknown;
  }

  export class BpmnModdle {
    constructor(packages?: Record<string, object>);
    fromXML(text: string): Promise<{
      readonly rootElement: ModelElement;
      readonly elementsById: Record<string, ModelElement>;
      readonly warnings: readonly { readonly message: string }[];
    }>;
  }
}
