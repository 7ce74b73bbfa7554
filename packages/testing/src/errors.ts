import type { ErrorTable } from "@tutti/kernel";

export const testingErrors: ErrorTable = {
  "definition-refused": { exit: 2, status: 422, advice: "Correct the definition at the places named." },
  "definition-unreadable": {
    exit: 2,
    status: 422,
    advice: "Name a YAML or BPMN file, or a TypeScript module whose default export is a built process.",
  },
  "answers-refused": { exit: 2, status: 422, advice: "Correct the answers at the places named." },
  "answer-failed": { exit: 2, status: 422, advice: "Correct the answer that the message names." },
  "trial-duration": { exit: 2, status: 422, advice: "Write a duration as 90s, 2h, 7d or in ISO 8601, as P7D." },
  "trial-limit": {
    exit: 1,
    status: 422,
    advice: "Look for a path that repeats for ever, or raise the limit that the message names.",
  },
};
