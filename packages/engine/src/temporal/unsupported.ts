import { AppError, type ProgramDocument } from "@tutti/kernel";

/** Throws AppError `engine-unsupported`: better on deployment than in the middle of an instance. */
export function refuseUnsupported(document: ProgramDocument): void {
  for (const element of document.elements) {
    if (!beginsByTimer(element)) continue;
    throw new AppError(
      "engine-unsupported",
      `Expected only what Temporal's engine does, but '${element.id}' in '${document.id}' needs timer start events.`,
    );
  }
}

function beginsByTimer(element: ProgramDocument["elements"][number]): boolean {
  if (element.kind !== "start-event" || element.parent !== null || !("trigger" in element)) return false;
  const { trigger } = element;
  const triggers = trigger.type === "multiple" ? trigger.triggers : [trigger];
  return triggers.some(({ type }) => type === "timer");
}
