import { compile } from "@tutti/definition";
import type { JsonObject } from "@tutti/kernel";
import type { Answer, Answers, Posting } from "../../answers.ts";
import { stepName } from "../../path.ts";
import { askersOf, mainProcess, startsPlainly } from "../../programs.ts";
import { openTrial, type Trial } from "../../trial.ts";

/** A behaviour that the standard asks for, and a drawing that shows it. */
export interface Row {
  /** Clause of BPMN 2.0.2 (ISO/IEC 19510). */
  readonly clause: string;
  /** What the standard says must happen, in our words. */
  readonly says: string;
  /** Rules of ours that say the same. */
  readonly rules: string;
  /** Where the standard leaves a choice: the one made. */
  readonly choice?: string;
  /** The content of a process `p`, or with `<process` whole roots; `{a>b b>c?x > 1}` are sequence flows. */
  readonly drawing: string;
  readonly vars?: JsonObject;
  /** Jobs and people that take so many hours; all others answer at once. */
  readonly hours?: { readonly [element: string]: number };
  readonly answers?: Answers["answers"];
  readonly publish?: readonly Posting[];
  /**
   * Elements in the order they start, as `b`, and are ended by something else, as `!b`; `b[2]` belongs to the second item
   * of a loop. Several instances stand one after the other, after `/`.
   */
  readonly path: string;
  /** `completed`, unless said otherwise: `failed code`, `waits at elements`, `incident code`. */
  readonly end?: string;
  /** Variables at the end. */
  readonly leaves?: JsonObject;
}

/** The BPMN file of a row. */
export function fileOf({ drawing }: Pick<Row, "drawing">): string {
  const whole = drawing.includes("<process") ? drawing : `<process id="p" isExecutable="true">${drawing}</process>`;
  const drawn = whole.replaceAll(/(?<![$#])\{([^{}]*>[^{}]*)\}/g, (_, flows: string) =>
    flows.split(";").map(flow).join(""),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  targetNamespace="urn:clause-13" id="definitions">${drawn}</definitions>`;
}

/** `a>b`, or `a>b ? condition`; its id is `a.b`. */
function flow(text: string): string {
  const [, from = "", to = "", condition] = /^\s*(\w+)>(\w+)\s*(?:\?(.+))?$/s.exec(text) ?? [];
  const head = `<sequenceFlow id="${from}.${to}" sourceRef="${from}" targetRef="${to}"`;
  if (condition === undefined) return `${head}/>`;
  const escaped = condition.trim().replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `${head}><conditionExpression xsi:type="tFormalExpression">${escaped}</conditionExpression></sequenceFlow>`;
}

export interface Shown {
  readonly path: string;
  readonly end: string;
  readonly variables: JsonObject;
  readonly warnings: readonly string[];
}

const hour = (count: number): Answer => ({ complete: {}, after: `${count}h` });

/** Runs the drawing of a row as `tutti process run` does. */
export async function shown(row: Row): Promise<Shown> {
  const { programs, problems } = compile(fileOf(row), { file: "row.bpmn" });
  const refusals = problems.filter(({ severity }) => severity === "error");
  if (programs.length === 0)
    return {
      path: "",
      end: `refused ${refusals.map((p) => `${p.code}: ${p.message}`).join("; ")}`,
      variables: {},
      warnings: [],
    };
  const hours = Object.entries(row.hours ?? {}).map(([id, count]): [string, Answer] => [id, hour(count)]);
  const others = [...askersOf(programs)].map((id): [string, Answer] => [id, { complete: {} }]);
  const elements = programs.flatMap((program) => program.elements.map(({ id }) => id));
  const own = others.filter(([id]) => elements.includes(id));
  const answers = {
    answers: { ...Object.fromEntries([...own, ...hours]), ...row.answers },
    publish: row.publish ?? [],
  };
  const trial = await openTrial({ programs, answers });
  try {
    const main = mainProcess(programs) ?? "";
    const plain = programs.some((program) => program.id === main && startsPlainly(program));
    if (plain) await trial.start({ variables: row.vars ?? {} });
    else await trial.begin();
    await trial.finish();
    return { ...told(trial), warnings: problems.map(({ code, message }) => `${code}: ${message}`) };
  } finally {
    await trial.close();
  }
}

function told({ instances }: Trial): Omit<Shown, "warnings"> {
  const path = instances.map(({ steps }) =>
    steps
      .filter(({ type }) => type === "started" || type === "passed" || type === "stopped")
      .map((step) => `${step.type === "stopped" ? "!" : ""}${stepName(step)}`)
      .join(" "),
  );
  const [first] = instances;
  if (first === undefined) return { path: "", end: "never started", variables: {} };
  const { view, incidents, waitingAt } = first;
  const { status, variables } = view;
  const end =
    incidents.length > 0
      ? `incident ${incidents.join(" ")}`
      : status === "running"
        ? `waits at ${waitingAt.join(" ")}`
        : status === "failed"
          ? `failed ${view.outcome?.type === "failed" ? view.outcome.error.code : ""}`
          : status;
  return { path: path.join(" / "), end, variables };
}
