/** It comes without types of its own; this is the part that the tests use. */
declare module "bpmn-moddle" {
  export class BpmnModdle {
    constructor(extensions: object);
    fromXML(text: string): Promise<{ elementsById: object; warnings: readonly { readonly message: string }[] }>;
  }
}
