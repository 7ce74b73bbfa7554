import type { ErrorTable } from "@tutti/kernel";

export const cliErrors: ErrorTable = {
  "configuration-invalid": {
    exit: 2,
    status: 400,
    advice: "Correct the file, or remove it: everything in it can also be given as an option.",
  },
  "command-unknown": { exit: 2, status: 400, advice: "See `tutti --help` for the commands." },
  "option-unknown": { exit: 2, status: 400, advice: "See the command's `--help` for its options." },
  "option-invalid": { exit: 2, status: 400, advice: "Correct the option as the message says." },
  "argument-missing": { exit: 2, status: 400, advice: "Give the argument, as the command's `--help` shows." },
  "argument-unexpected": {
    exit: 2,
    status: 400,
    advice: "Put a text with blanks in quotes, or leave the argument out.",
  },
  "input-needed": {
    exit: 2,
    status: 400,
    advice: "Give the option that the message names: nothing can be asked here.",
  },
  "file-unreadable": { exit: 2, status: 422, advice: "Check the path and that you may read the file." },
  "file-exists": { exit: 2, status: 409, advice: "Name a file that is not there yet." },
  "file-unwritable": { exit: 2, status: 422, advice: "Check the path and that you may write there." },
  "instance-given-up": {
    exit: 2,
    status: 404,
    advice:
      "If `tutti process move` was cut short, repeat it. If it was exported, `tutti process import` goes on with its file.",
  },
  "instance-file-damaged": {
    exit: 2,
    status: 422,
    advice: "Copy the file again from where it was exported, or export it again there.",
  },
  "file-unknown-kind": {
    exit: 2,
    status: 422,
    advice: "Give a process definition, a plan (format: tutti-plan/1), an agent script or an agent file.",
  },
  "folder-not-empty": { exit: 2, status: 409, advice: "Name an empty or a new folder." },
  "run-unknown": {
    exit: 2,
    status: 404,
    advice: "See `tutti list` for the runs of this state folder, `tutti process list` for instances of processes.",
  },
  "run-ambiguous": { exit: 2, status: 409, advice: "Give more letters of the run's id." },
  "instance-ambiguous": { exit: 2, status: 409, advice: "Give more letters of the instance's id." },
  "run-exists": { exit: 2, status: 409, advice: "Start the run under another id." },
  "run-none": {
    exit: 2,
    status: 404,
    advice: "Start one with `tutti run`, or name another state folder with --state.",
  },
  "run-ended": { exit: 1, status: 409, advice: "Start a new run; this one has ended and stays as it is." },
  "unit-unknown": { exit: 2, status: 404, advice: "See `tutti status` for the units of the run." },
  "nothing-failed": { exit: 1, status: 409, advice: "See `tutti why` for what it waits for." },
  "nothing-done": {
    exit: 5,
    status: 409,
    advice: "Retry what failed, or cancel the run: there is nothing to publish.",
  },
  "nothing-to-decide": { exit: 1, status: 409, advice: "See `tutti tasks` for what waits for a person." },
  "command-refused": {
    exit: 1,
    status: 409,
    advice:
      "See what it does with `tutti status` or `tutti process show`, or who has a task with `tutti tasks`, then try again.",
  },
  "process-reserved": { exit: 2, status: 409, advice: "Give your process another id." },
  "instance-of-run": {
    exit: 2,
    status: 409,
    advice: "Use the run's own commands: `tutti pause`, `resume`, `cancel`, `retry`.",
  },
  "worker-unknown": {
    exit: 1,
    status: 404,
    advice: "Connect again: the owner has ended, or lost sight of this worker.",
  },
  "command-needed": { exit: 2, status: 400, advice: "Say what does the jobs, with `--run COMMAND`." },
  "job-unknown": { exit: 2, status: 404, advice: "See `tutti process show INSTANCE` for its open jobs." },
  "task-unknown": { exit: 2, status: 404, advice: "See `tutti tasks` for the tasks of this state folder." },
  "fork-unsupported": {
    exit: 2,
    status: 409,
    advice: "Name the run instead: `tutti checkpoints RUN` lists the moments that it can be forked from.",
  },
  "plan-refused": { exit: 2, status: 422, advice: "Correct the plan at the places named; nothing was written." },
  "plan-differs": { exit: 2, status: 422, advice: "Leave the feature out, or let it say what the plan says." },
  "script-missing": { exit: 2, status: 422, advice: "Name the script of the scripted agents with --script FILE." },
  "agent-missing": {
    exit: 2,
    status: 422,
    advice: "Name an agent with --agent; `tutti doctor` lists those that are installed here.",
  },
  "environment-missing": {
    exit: 2,
    status: 422,
    advice: "Set the variable, then start the owner of the state folder anew with `tutti stop`.",
  },
  "owner-unreachable": {
    exit: 1,
    status: 503,
    advice: "Look at logs/owner.log in the state folder; `tutti stop` or ending the process gives the folder free.",
  },
  "owner-silent": {
    exit: 1,
    status: 504,
    advice:
      "Try again. If it stays, look at logs/owner.log in the state folder; and on Temporal whether somebody works on the release of the instance, or on the one that is current.",
  },
  "owner-older": { exit: 1, status: 409, advice: "Run `tutti stop`, then try again: the owner is another release." },
  "owner-none": { exit: 1, status: 404, advice: "Nothing to stop: no process owns this state folder." },
  "owner-stopping": { exit: 1, status: 503, advice: "Wait until the owner has stopped, then try again." },
  "worker-alone": {
    exit: 2,
    status: 409,
    advice:
      "Name a PostgreSQL with $TUTTI_STORE or in tutti.json, or let `tutti up` or `tutti serve` do the work of the folder.",
  },
  "artifacts-unnamed": {
    exit: 2,
    status: 409,
    advice:
      "Name the store with $TUTTI_ARTIFACTS or as `artifacts` in tutti.json; without one there is nothing to clean.",
  },
  "temporal-missing": {
    exit: 1,
    status: 500,
    advice:
      "Install Temporal's command line tool, or Go 1.25 or later to build it with; or configure a server that is there.",
  },
  "temporal-failed": {
    exit: 1,
    status: 500,
    advice: "Look at temporal/server.log in the state folder, then run `tutti up` again: what is open goes on.",
  },
  "request-invalid": { exit: 2, status: 400, advice: "Send what the schema of this path asks for." },
  "path-unknown": { exit: 2, status: 404, advice: "Use a path of the API under /v1." },
  "state-unusable": { exit: 1, status: 500, advice: "Make the state folder a folder that this user can write to." },
  "examples-missing": { exit: 1, status: 500, advice: "Install Tutti again: the demo's files are not there." },
  interrupted: { exit: 7, status: 499, advice: "Go on with `tutti resume`." },
  "internal-error": { exit: 1, status: 500, advice: "This is a bug in Tutti: report it with what you did before." },
};
