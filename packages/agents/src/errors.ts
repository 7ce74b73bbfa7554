import type { ErrorTable } from "@tutti/kernel";

export const agentErrors: ErrorTable = {
  "agent-not-found": {
    exit: 2,
    status: 422,
    advice: "Install the agent's command, or name one that `tutti doctor` lists.",
  },
  "agent-unknown": {
    exit: 2,
    status: 422,
    advice: "Use one of the names the message lists, or `cli:<command>` or `acp:<command>` for your own.",
  },
  "sandbox-missing": {
    exit: 2,
    status: 422,
    advice: "Install bubblewrap, or say `--sandbox none` to run the agent with your own rights.",
  },
  "script-invalid": {
    exit: 2,
    status: 422,
    advice: "Correct the agent script at the place given.",
  },
  "catalogue-invalid": {
    exit: 2,
    status: 422,
    advice: "Correct the agent file at the place given.",
  },
  "prompt-incomplete": {
    exit: 2,
    status: 422,
    advice: "Give every input that the agent's input schema requires.",
  },
  "agent-crashed": {
    exit: 1,
    status: 502,
    advice: "Look at its last lines and its transcript, then retry the unit.",
  },
  "agent-timeout": {
    exit: 1,
    status: 504,
    advice: "Retry with a longer time limit, or make the unit smaller.",
  },
  "agent-silent": {
    exit: 1,
    status: 504,
    advice: "Look at the transcript for what it waited for, then retry the unit.",
  },
  "agent-flooded": {
    exit: 1,
    status: 502,
    advice: "Look at what it printed; retry with a higher output limit only when that was wanted.",
  },
  "agent-cancelled": {
    exit: 7,
    status: 409,
    advice: "Nothing to repair: it was ended on request; retry the unit to run it again.",
  },
  "agent-refused": {
    exit: 1,
    status: 502,
    advice: "Reword the unit or choose another agent: this one declined the task.",
  },
  "agent-protocol": {
    exit: 1,
    status: 502,
    advice: "Compare what the agent answered (see the transcript) with the protocol it was started for.",
  },
  "agent-failed": {
    exit: 1,
    status: 502,
    advice: "Read the agent's own reason, then retry the unit.",
  },
};
