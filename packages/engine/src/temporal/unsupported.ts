import { AppError, type ProgramDocument } from "@tutti/kernel";

/** Triggers between instances, which this engine does not bring together yet. */
const between: ReadonlySet<string> = new Set(["message", "signal"]);

/** Throws AppError `engine-unsupported`: better on deployment than in the middle of an instance. */
export function refuseUnsupported(document: ProgramDocument): void {
  for (const element of document.elements) {
    const what = waitsFor(element);
    if (what === undefined) continue;
    throw new AppError(
      "engine-unsupported",
      `Expected only what Temporal's engine does, but '${element.id}' in '${document.id}' needs ${what}.`,
    );
  }
}

function waitsFor(element: ProgramDocument["elements"][number]): string | undefined {
  if (element.kind === "receive-task") return "messages";
  if (element.kind === "send-task" && "message" in element) return "messages";
  if (!("trigger" in element)) return undefined;
  const { trigger } = element;
  const types = trigger.type === "multiple" ? trigger.triggers.map(({ type }) => type) : [trigger.type];
  const found = types.find((type) => between.has(type));
  if (found !== undefined) return `${found}s`;
  const begins = element.kind === "start-event" && element.parent === null;
  return begins && types.includes("timer") ? "timer start events" : undefined;
}
