import type { ArrowFlow, Field, Line, Notation, Unit } from "./model.ts";

/** Writes notation the way it is read: reading it again gives the same. `ascii`: `->` instead of `→`. */
export function printNotation(notation: Notation, options: { readonly ascii?: boolean } = {}): string {
  const arrow = options.ascii === true ? "->" : "→";
  return notation.lines.map((line) => `${printLine(line, arrow)}\n`).join("");
}

function printLine(line: Line, arrow: string): string {
  switch (line.kind) {
    case "flow":
      return printFlow(line.flow, arrow);
    case "assign": {
      const value = "literal" in line.value ? JSON.stringify(line.value.literal) : line.value.text;
      return `${line.name}${line.type === undefined ? "" : `: ${line.type}`} = ${value}`;
    }
    default:
      return `${arrow} {${printFields(line.fields)}}`;
  }
}

function printFlow(flow: ArrowFlow, arrow: string): string {
  return flow.units.map((unit) => printUnit(unit, arrow)).join(` ${arrow} `);
}

function printUnit(unit: Unit, arrow: string): string {
  switch (unit.kind) {
    case "call": {
      const args = unit.args === undefined ? "" : `(${printFields(unit.args)})`;
      const agent = unit.agent === undefined ? [] : [`@${unit.agent}`];
      return [`${unit.name}${args}`, ...agent, ...(unit.modifiers ?? [])].join(" ");
    }
    case "group":
      return `[${unit.flows.map((flow) => printFlow(flow, arrow)).join(" & ")}]`;
    case "choice":
      return `${unit.condition} ? ${printFlow(unit.yes, arrow)} : ${printFlow(unit.no, arrow)}`;
    case "values":
      return `{${printFields(unit.fields)}}`;
    case "nested":
      return `(${printFlow(unit.flow, arrow)})`;
    default:
      return `[${unit.collection}] >> ${printUnit(unit.call, arrow)}`;
  }
}

/** An argument that is known by its number is written without a name. */
function printFields(fields: readonly Field[]): string {
  return fields
    .map(({ name, text }, index) =>
      text === undefined ? name : name === `arg${index + 1}` ? text : `${name}: ${text}`,
    )
    .join(", ");
}
