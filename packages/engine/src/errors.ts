import type { ErrorTable } from "@tutti/kernel";

export const engineErrors: ErrorTable = {
  "engine-closed": { exit: 1, status: 503, advice: "Open the engine again, or send the request to the one that runs." },
  "engine-busy": {
    exit: 1,
    status: 503,
    advice: "Wait until some of the waiting commands are answered, then repeat it.",
  },
  "storage-failed": {
    exit: 1,
    status: 503,
    advice: "Make room on the disk or repair it; the engine goes on by itself. Repeat with the same request id.",
  },
  "program-not-found": { exit: 2, status: 404, advice: "Deploy the process first, or check its name and version." },
  "instance-not-found": {
    exit: 2,
    status: 404,
    advice: "List the instances, as with `tutti process list`, and check the id.",
  },
  "instance-quarantined": {
    exit: 1,
    status: 500,
    advice: "This is a bug in Tutti: report it with the log of this instance. Other instances are not affected.",
  },
  "start-refused": { exit: 2, status: 422, advice: "Correct what the reason names, then start again." },
  "rollout-invalid": { exit: 2, status: 422, advice: "Correct what the reason names, then plan it again." },
  "fork-refused": {
    exit: 2,
    status: 422,
    advice: "Name an earlier point, at which the instance was there and had not ended; the history lists them.",
  },
  "move-refused": {
    exit: 2,
    status: 409,
    advice:
      "Do what the message names, then move it again; nothing was lost. `--now` stops a job that is being worked on.",
  },
  "handler-exists": { exit: 1, status: 409, advice: "Stop the handler that works on this job type first." },
  "limit-invalid": { exit: 2, status: 400, advice: "Give a whole number within the limits that the message names." },
  "payload-invalid": { exit: 2, status: 400, advice: "Give plain JSON within the limits that the message names." },
  "form-misfit": {
    exit: 2,
    status: 422,
    advice: "Give what the form of the task asks for, as `tutti tasks --json` shows it; the task is still open.",
  },
  "cursor-invalid": { exit: 2, status: 400, advice: "Give back a cursor exactly as it was given to you." },
  "release-unknown": {
    exit: 1,
    status: 503,
    advice: "Ask again; if it stays so, the server has no Worker Versioning: work without a release there.",
  },
  "temporal-unreachable": {
    exit: 1,
    status: 503,
    advice:
      "Start the Temporal server (`tutti up` runs one on this machine), or correct its address. Nothing was lost: the same request id is the same request.",
  },
  "temporal-refused": {
    exit: 1,
    status: 502,
    advice:
      "Do what the message names. Where something is too large for the server, give the engine a store of artifacts, which takes what it does not.",
  },
  "namespace-unknown": {
    exit: 2,
    status: 404,
    advice: "Create the namespace, as with `temporal operator namespace create NAME`, or correct its name.",
  },
  "database-newer": {
    exit: 1,
    status: 500,
    advice: "Install the release that wrote this database, or a later one. Nothing was changed.",
  },
  "database-damaged": {
    exit: 1,
    status: 500,
    advice: "Restore the last backup of the state folder or database. Nothing was repaired or changed.",
  },
  "database-foreign": { exit: 2, status: 400, advice: "Name a state folder or a schema of Tutti, or an empty one." },
  "database-missing": {
    exit: 2,
    status: 404,
    advice:
      "Start a run with `tutti run`, deploy a process with `tutti process deploy`, or name the state folder of another one with --state DIR.",
  },
  "database-unwritable": {
    exit: 1,
    status: 500,
    advice:
      "Make the state folder and its files writable for this user; in a PostgreSQL turn on what the message names.",
  },
  "database-away": {
    exit: 1,
    status: 503,
    advice: "Start the database server or wait for it; check host, port and network. Nothing was changed.",
  },
  "database-refused": {
    exit: 2,
    status: 500,
    advice: "Check the user, the password and the rights of that user in the address of the store.",
  },
  "database-unknown": {
    exit: 2,
    status: 404,
    advice: "Create the database, as with `createdb`, or correct its name in the address of the store.",
  },
  "store-invalid": {
    exit: 2,
    status: 400,
    advice: "Give the store as postgres://user:password@host:port/database?schema=name.",
  },
  "database-owned": {
    exit: 1,
    status: 409,
    advice: "Use the process that owns it, or let `tutti serve` wait here until it is free.",
  },
  "ownership-lost": {
    exit: 1,
    status: 503,
    advice: "Use the process that owns it now. This one has stopped; nothing it had acknowledged is lost.",
  },
  "payload-unreadable": {
    exit: 1,
    status: 500,
    advice:
      "Give every process that works for Temporal the same key for payloads; the message names the one that is meant.",
  },
  "state-owned": { exit: 1, status: 409, advice: "Use the running owner, or stop it first." },
};
