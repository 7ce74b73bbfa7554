import type { Element, ProgramDocument } from "@tutti/kernel";
import { end, from, program, service, start, wait } from "./programs.ts";

interface Shape {
  readonly waitsFor?: string;
  readonly version?: string;
}

/**
 * start → at once: a job of the type `work` · a person's task · a wait of `waitsFor` · a wait for the message `paid` with
 * the key in `key` · a script that fails, so that somebody has to look → the end of each. Its result is `got`, which the
 * message brings, and `x`, which the script lacks.
 */
export function everythingOpen(id: string, { waitsFor = "PT4S", version = "1.0.0" }: Shape = {}): ProgramDocument {
  const hour = { kind: "duration", value: { literal: "PT3600S" } } as const;
  const task: Element = {
    ...{ kind: "user-task", id: "ask", parent: null, assignee: { literal: "ann" } },
    sla: [{ on: "not-completed", after: hour, action: { type: "notify", to: ["bob"] } }],
  };
  const message: Element = {
    ...{ kind: "intermediate-catch-event", id: "pay", parent: null, outputs: [from("got", { variable: "got" })] },
    trigger: { type: "message", message: { name: { literal: "paid" }, correlationKey: { variable: "key" } } },
  };
  const failing: Element = {
    ...{ kind: "script-task", id: "fail", parent: null },
    assignments: [{ target: "x", source: { variable: "missing" } }],
  };
  const branches = [service("job"), task, wait("pause", waitsFor), message, failing];
  return program({
    id,
    version,
    variables: [
      { name: "key", type: "any" },
      { name: "got", type: "any" },
      { name: "x", type: "any" },
    ],
    outputs: ["got", "x"],
    elements: [start(), { kind: "parallel-gateway", id: "split", parent: null }, ...branches, end()],
    flows: ["start>split", ...branches.flatMap((each) => [`split>${each.id}`, `${each.id}>end`])],
  });
}
