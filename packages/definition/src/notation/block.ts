import type { ElementId, Json, Mapping, SourcePosition } from "@tutti/kernel";
import type { Draft } from "../draft.ts";
import { defaultRetry } from "../form/parts.ts";
import { toCondition, toSource, variableAt } from "../value.ts";
import type { ArrowFlow, Field, Unit } from "./model.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A unit that does something, with the values that stand before and after it in its chain. */
export interface Step {
  readonly unit: Exclude<Unit, { readonly kind: "values" }>;
  readonly inputs: readonly Field[];
  readonly outputs: readonly string[];
  /** What stands in it: the branches of a group or a choice, or the one of a parenthesis. */
  readonly branches: readonly (readonly Step[])[];
}

interface Block {
  readonly entry: ElementId;
  readonly exit: ElementId;
}

/** Compiles what cannot be taken apart: steps, and what stands in brackets, between gateways of its own. */
export class Blocks {
  readonly #draft: Draft;
  readonly #vocabulary: Vocabulary;
  #gateways = 0;

  constructor(draft: Draft, vocabulary: Vocabulary) {
    this.#draft = draft;
    this.#vocabulary = vocabulary;
  }

  /** The steps of a chain; the variables between them become inputs of the next and outputs of the one before. */
  stepsOf(units: readonly Unit[]): Step[] {
    const steps: Step[] = [];
    let values: readonly Field[] = [];
    for (const unit of units) {
      if (unit.kind === "values" || this.#vocabulary.isVariable(unit)) {
        values = unit.kind === "values" ? unit.fields : [{ name: unit.name }];
        const last = steps.pop();
        if (last !== undefined) steps.push(this.#withOutputs(last, values, unit.position));
        continue;
      }
      steps.push(this.#step(unit, values));
      values = [];
    }
    return steps;
  }

  #step(unit: Step["unit"], inputs: readonly Field[]): Step {
    const flows =
      unit.kind === "group"
        ? unit.flows
        : unit.kind === "choice"
          ? [unit.yes, unit.no]
          : unit.kind === "nested"
            ? [unit.flow]
            : [];
    const branches = flows.map((flow: ArrowFlow) =>
      this.stepsOf(flow.units).map((step, at) => (at === 0 ? { ...step, inputs: [...inputs, ...step.inputs] } : step)),
    );
    return { unit, inputs: branches.length > 0 ? [] : inputs, outputs: [], branches };
  }

  /** A value comes from the step itself, or from the last of each way through it. */
  #withOutputs(step: Step, fields: readonly Field[], position: SourcePosition): Step {
    const computed = fields.find(({ text }) => text !== undefined);
    if (computed !== undefined) this.#refuse(`names of results, but ${computed.name} is computed`, position);
    if (step.unit.kind === "group") this.#refuse("one step before a result, but a group gives several", position);
    if (step.branches.length === 0) return { ...step, outputs: [...step.outputs, ...fields.map(({ name }) => name)] };
    const branches = step.branches.map((branch) => {
      const last = branch.at(-1);
      return last === undefined ? branch : [...branch.slice(0, -1), this.#withOutputs(last, fields, position)];
    });
    return { ...step, branches };
  }

  #refuse(what: string, position: SourcePosition): void {
    this.#draft.problems.error("notation-invalid", `Expected ${what}`, position);
  }

  /** The same name means the same step, and only one of the places may say more about it. */
  refuseSecond(step: Step): void {
    const { unit, inputs, outputs } = step;
    const says =
      unit.kind === "call" && (unit.args !== undefined || unit.agent !== undefined || unit.modifiers !== undefined);
    if (says || inputs.length > 0 || outputs.length > 0) {
      const name = unit.kind === "call" ? unit.name : "it";
      this.#refuse(`everything about ${name} where it stands first, but there is more about it here`, unit.position);
    }
  }

  compile(step: Step): Block {
    const { unit } = step;
    switch (unit.kind) {
      case "call":
        return this.#service(step, unit);
      case "each":
        return this.#service(step, unit.call, unit.collection);
      case "nested":
        return this.#chain(step.branches[0] ?? [], unit.position);
      case "group":
        return this.#between(step, { kind: "parallel-gateway" as const });
      default:
        return this.#choice(step, unit);
    }
  }

  #chain(steps: readonly Step[], position: SourcePosition): Block {
    const blocks = steps.map((step) => this.compile(step));
    const [first, last] = [blocks[0], blocks.at(-1)];
    if (first === undefined || last === undefined) {
      this.#refuse("a step, but there are only variables", position);
      return { entry: "start", exit: "start" };
    }
    for (const [at, block] of blocks.slice(1).entries()) this.#draft.flow(blocks[at]?.exit ?? "", block.entry);
    return { entry: first.entry, exit: last.exit };
  }

  #service(step: Step, call: Unit & { readonly kind: "call" }, collection?: string): Block {
    const { name, args = [], agent, modifiers, position } = call;
    const headers = { ...(agent !== undefined && { agent }), ...(modifiers !== undefined && { modifiers }) };
    const inputs = [...step.inputs, ...args].map((field) => this.mapping(field, position));
    const outputs = step.outputs.map((target): Mapping => ({ target, source: variableAt(target, position) }));
    this.#draft.add({
      kind: "service-task",
      id: name,
      parent: null,
      position,
      job: { type: name, retry: defaultRetry, ...(Object.keys(headers).length > 0 && { headers }) },
      ...(inputs.length > 0 && { inputs }),
      ...(collection === undefined && outputs.length > 0 && { outputs }),
      ...(collection !== undefined && { loop: this.#loop(step, collection, position) }),
    });
    return { entry: name, exit: name };
  }

  /** What the step gives for each entry is its result as a whole, in the order of the entries. */
  #loop(step: Step, collection: string, position: SourcePosition) {
    const [target, ...more] = step.outputs;
    if (more.length > 0) this.#refuse(`one result of a loop, but there are ${step.outputs.length}`, position);
    const output = target === undefined ? undefined : { target, source: variableAt("result", position) };
    return {
      mode: "parallel" as const,
      collection: variableAt(collection, position),
      item: "item",
      ...(output !== undefined && { output }),
    };
  }

  mapping({ name, text }: Field, position: SourcePosition): Mapping {
    const source = text === undefined ? variableAt(name, position) : toSource(`= ${text}` as Json, position);
    return { target: name, source };
  }

  #between(step: Step, gateway: { readonly kind: "parallel-gateway" | "exclusive-gateway" }): Block {
    const { position } = step.unit;
    const number = ++this.#gateways;
    const [entry, exit] = [`fork-${number}`, `join-${number}`];
    for (const id of [entry, exit]) this.#draft.add({ ...gateway, id, parent: null, position });
    for (const branch of step.branches) {
      const block = this.#chain(branch, position);
      this.#draft.flow(entry, block.entry);
      this.#draft.flow(block.exit, exit);
    }
    return { entry, exit };
  }

  #choice(step: Step, unit: Unit & { readonly kind: "choice" }): Block {
    const { position } = unit;
    const number = ++this.#gateways;
    const [entry, exit] = [`choice-${number}`, `merge-${number}`];
    const [yes, no] = step.branches.map((branch) => this.#chain(branch, position));
    const condition = toCondition(unit.condition, position);
    this.#draft.flow(entry, yes?.entry ?? "", { condition, name: "yes" });
    const defaultFlow = this.#draft.flow(entry, no?.entry ?? "", { name: "no" });
    this.#draft.add({ kind: "exclusive-gateway", id: entry, parent: null, position, defaultFlow });
    this.#draft.add({ kind: "exclusive-gateway", id: exit, parent: null, position });
    for (const block of [yes, no]) this.#draft.flow(block?.exit ?? "", exit);
    return { entry, exit };
  }
}
