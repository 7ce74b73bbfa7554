import type { ProgramDocument } from "@tutti/kernel";
import { end, from, program, service, start, wait } from "./programs.ts";

/** A job and a pause of 50 ms, again and again for as long as the job says `more`. */
export function loop(id: string): ProgramDocument {
  return program({
    id,
    variables: [
      { name: "n", type: "number", initial: 0 },
      { name: "more", type: "boolean", initial: true },
    ],
    outputs: ["n"],
    elements: [
      start(),
      service("count", {
        inputs: [from("n", { variable: "n" })],
        outputs: [from("n", { variable: "n" }), from("more", { variable: "more" })],
      }),
      wait("pause", "PT0.05S"),
      { kind: "exclusive-gateway", id: "again", parent: null, defaultFlow: "f5" },
      end(),
    ],
    flows: ["start>count", "count>pause", "pause>again", "again>count?more", "again>end"],
  });
}
