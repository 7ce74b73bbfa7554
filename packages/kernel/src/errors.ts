import type { ErrorTable } from "./problem.ts";

export const kernelErrors: ErrorTable = {
  "program-invalid": {
    exit: 2,
    status: 422,
    advice: "Compile the definition again; if that does not help, the compiler has a bug worth reporting.",
  },
  "snapshot-unreadable": {
    exit: 1,
    status: 500,
    advice: "The state was written by a newer Tutti: use that version, or a later one.",
  },
};
