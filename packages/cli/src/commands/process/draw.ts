import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { exportBpmn } from "@tutti/definition";
import { AppError, type ProgramDocument } from "@tutti/kernel";
import { loadDefinition, runnable } from "@tutti/testing";
import type { Command, Context } from "../../command.ts";
import { unwritten } from "../../process/new-file.ts";

export const processDraw: Command = {
  name: "process draw",
  summary: "Draws a process definition as BPMN 2.0, for any modeler to open.",
  about:
    "Read again, the drawing is the same program, with the same hash. A program from YAML or TypeScript is drawn from left to right; what BPMN has no words for stands in elements of Tutti's own, which modelers keep. A BPMN file comes out as it went in.",
  options: {
    out: { value: "FILE", help: "write to a file that is not there yet (default: stdout)" },
    process: { value: "ID", help: "which process of the file, where there are several" },
  },
  arguments: [{ name: "FILE", help: "YAML, BPMN, or a TypeScript module, which is run", required: true }],
  examples: [
    "tutti process draw order.yaml --out order.bpmn",
    "tutti process draw order.yaml --process order > order.bpmn",
  ],
  async run(context) {
    const { input, cwd, out } = context;
    const file = input.argument(0) ?? "";
    const { program, bpmn } = drawn(context, runnable(await loadDefinition(file), file));
    const { id, version, hash } = program;
    const target = input.text("out");
    const path = target === undefined ? undefined : resolve(cwd, target);
    if (path !== undefined) {
      await writeFile(path, bpmn, { flag: "wx" }).catch((cause: unknown) => {
        throw unwritten(path, cause);
      });
      out.text(`${id}@${version} is drawn in ${target}.`);
    } else out.content(bpmn);
    out.document({ process: id, version, hash, ...(path === undefined ? { bpmn } : { file: path }) });
    return 0;
  },
};

interface Drawn {
  readonly program: ProgramDocument;
  readonly bpmn: string;
}

/** The process that is meant. The processes of one drawing are drawn together already. */
function drawn({ input }: Context, programs: readonly ProgramDocument[]): Drawn {
  const wanted = input.text("process");
  const ids = programs.map(({ id }) => id).join(", ");
  const meant = programs.filter(({ id }) => wanted === undefined || id === wanted);
  const [first, ...others] = meant.map((program) => ({ program, bpmn: exportBpmn(program) }));
  if (first === undefined) {
    const message = `Expected --process to be one of ${ids}, but it is ${JSON.stringify(wanted)}`;
    throw new AppError("option-invalid", message);
  }
  if (others.some(({ bpmn }) => bpmn !== first.bpmn)) {
    throw new AppError("input-needed", `Expected --process, since the file has several processes: ${ids}`);
  }
  return first;
}
