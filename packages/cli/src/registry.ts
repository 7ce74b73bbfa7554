import type { Command } from "./command.ts";

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Loaded only when it is called: `tutti --help` must not wait for what it does not need. */
  load(): Promise<Command>;
}

export const commandGroups: readonly { readonly title: string; readonly commands: readonly CommandEntry[] }[] = [
  {
    title: "Start",
    commands: [
      {
        name: "run",
        summary: "make a feature in a repository",
        load: async () => (await import("./commands/run.ts")).run,
      },
      {
        name: "demo",
        summary: "see a whole run on a small web service",
        load: async () => (await import("./commands/demo.ts")).demo,
      },
      {
        name: "plan",
        summary: "check a plan against a repository, and show its order and locks",
        load: async () => (await import("./commands/plan.ts")).plan,
      },
      {
        name: "validate",
        summary: "check a definition, plan, agent script or agent file",
        load: async () => (await import("./commands/validate.ts")).validate,
      },
    ],
  },
  {
    title: "Watch",
    commands: [
      { name: "list", summary: "list the runs", load: async () => (await import("./commands/list.ts")).list },
      {
        name: "status",
        summary: "show a run and its units",
        load: async () => (await import("./commands/status.ts")).status,
      },
      {
        name: "wait",
        summary: "wait until a run has ended or needs a person",
        load: async () => (await import("./commands/wait.ts")).wait,
      },
      { name: "log", summary: "show what happened", load: async () => (await import("./commands/log.ts")).log },
      {
        name: "show",
        summary: "show a unit: attempts, checks, conflicts",
        load: async () => (await import("./commands/show.ts")).show,
      },
      {
        name: "checkpoints",
        summary: "list the moments to fork from or roll back to",
        load: async () => (await import("./commands/checkpoints.ts")).checkpoints,
      },
      { name: "why", summary: "say what a run waits for", load: async () => (await import("./commands/why.ts")).why },
      {
        name: "tasks",
        summary: "list what waits for a person",
        load: async () => (await import("./commands/tasks.ts")).tasks,
      },
    ],
  },
  {
    title: "Steer",
    commands: [
      {
        name: "approve",
        summary: "approve the plan of a run",
        load: async () => (await import("./commands/decide.ts")).approve,
      },
      {
        name: "reject",
        summary: "reject the plan of a run, which ends it",
        load: async () => (await import("./commands/decide.ts")).reject,
      },
      {
        name: "task",
        summary: "claim, delegate, escalate, complete … a user task",
        load: async () => (await import("./commands/task.ts")).task,
      },
      {
        name: "fork",
        summary: "go on from an earlier moment of a run or a process as another one",
        load: async () => (await import("./commands/fork.ts")).fork,
      },
      {
        name: "rollback",
        summary: "go back to an earlier moment of a run or a process",
        load: async () => (await import("./commands/rollback.ts")).rollback,
      },
      {
        name: "pause",
        summary: "start nothing new until resume",
        load: async () => (await import("./commands/pause.ts")).pause,
      },
      {
        name: "resume",
        summary: "go on after a pause, a crash or a restart",
        load: async () => (await import("./commands/resume.ts")).resume,
      },
      {
        name: "cancel",
        summary: "end a run and its agents",
        load: async () => (await import("./commands/cancel.ts")).cancel,
      },
      {
        name: "retry",
        summary: "try again what failed, and only that",
        load: async () => (await import("./commands/retry.ts")).retry,
      },
      {
        name: "conflict",
        summary: "list, show and resolve conflicts by hand",
        load: async () => (await import("./commands/conflict.ts")).conflict,
      },
      {
        name: "accept-partial",
        summary: "go on without the units that failed",
        load: async () => (await import("./commands/accept-partial.ts")).acceptPartial,
      },
      {
        name: "adjust",
        summary: "change how much runs at once",
        load: async () => (await import("./commands/adjust.ts")).adjust,
      },
    ],
  },
  {
    title: "Processes of your own",
    commands: [
      {
        name: "process run",
        summary: "try a definition on an engine of its own",
        load: async () => (await import("./commands/process/run.ts")).processRun,
      },
      {
        name: "process check",
        summary: "print what the checks find in a definition",
        load: async () => (await import("./commands/process/check.ts")).processCheck,
      },
      {
        name: "process draw",
        summary: "draw a definition as BPMN",
        load: async () => (await import("./commands/process/draw.ts")).processDraw,
      },
      {
        name: "process deploy",
        summary: "make a process known to the state folder",
        load: async () => (await import("./commands/process/deploy.ts")).processDeploy,
      },
      {
        name: "process versions",
        summary: "list what is deployed, and how it fares",
        load: async () => (await import("./commands/process/versions.ts")).processVersions,
      },
      {
        name: "process rollout",
        summary: "share new instances between two versions",
        load: async () => (await import("./commands/process/rollout.ts")).processRollout,
      },
      {
        name: "process start",
        summary: "start an instance",
        load: async () => (await import("./commands/process/start.ts")).processStart,
      },
      {
        name: "process wait",
        summary: "wait until an instance has ended or needs a person",
        load: async () => (await import("./commands/process/wait.ts")).processWait,
      },
      {
        name: "process list",
        summary: "list instances",
        load: async () => (await import("./commands/process/list.ts")).processList,
      },
      {
        name: "process show",
        summary: "show an instance: variables, waits, jobs",
        load: async () => (await import("./commands/process/show.ts")).processShow,
      },
      {
        name: "process log",
        summary: "tell what happened in an instance",
        load: async () => (await import("./commands/process/log.ts")).processLog,
      },
      {
        name: "process vars",
        summary: "show variables, or the history of one",
        load: async () => (await import("./commands/process/vars.ts")).processVars,
      },
      {
        name: "process set",
        summary: "set variables",
        load: async () => (await import("./commands/process/set.ts")).processSet,
      },
      {
        name: "process work",
        summary: "do jobs by a program, until Ctrl-C",
        load: async () => (await import("./commands/process/work.ts")).processWork,
      },
      {
        name: "process job",
        summary: "do a job in place of a worker",
        load: async () => (await import("./commands/process/job.ts")).processJob,
      },
      {
        name: "process publish",
        summary: "publish a message",
        load: async () => (await import("./commands/process/publish.ts")).processPublish,
      },
      {
        name: "process signal",
        summary: "broadcast a signal",
        load: async () => (await import("./commands/process/signal.ts")).processSignal,
      },
      {
        name: "process retry",
        summary: "try again what is an incident",
        load: async () => (await import("./commands/process/control.ts")).processRetry,
      },
      {
        name: "process modify",
        summary: "start and end elements by hand",
        load: async () => (await import("./commands/process/modify.ts")).processModify,
      },
      {
        name: "process items",
        summary: "add items to a collection, or withdraw them",
        load: async () => (await import("./commands/process/items.ts")).processItems,
      },
      {
        name: "process activate",
        summary: "choose what an ad-hoc sub-process does next",
        load: async () => (await import("./commands/process/activate.ts")).processActivate,
      },
      {
        name: "process migrate",
        summary: "move instances to another version",
        load: async () => (await import("./commands/process/migrate.ts")).processMigrate,
      },
      {
        name: "process move",
        summary: "have the other engine go on with instances",
        load: async () => (await import("./commands/process/move.ts")).processMove,
      },
      {
        name: "process export",
        summary: "give an instance up into a file",
        load: async () => (await import("./commands/process/export.ts")).processExport,
      },
      {
        name: "process import",
        summary: "go on with an instance from a file",
        load: async () => (await import("./commands/process/import.ts")).processImport,
      },
      {
        name: "process pause",
        summary: "start nothing new in an instance",
        load: async () => (await import("./commands/process/control.ts")).processPause,
      },
      {
        name: "process resume",
        summary: "go on with a paused instance",
        load: async () => (await import("./commands/process/control.ts")).processResume,
      },
      {
        name: "process cancel",
        summary: "end an instance",
        load: async () => (await import("./commands/process/control.ts")).processCancel,
      },
    ],
  },
  {
    title: "House",
    commands: [
      {
        name: "serve",
        summary: "own the state folder in the foreground",
        load: async () => (await import("./commands/serve.ts")).serve,
      },
      {
        name: "up",
        summary: "run all that Temporal needs on one machine",
        load: async () => (await import("./commands/up.ts")).up,
      },
      {
        name: "worker",
        summary: "work for Temporal, beside others and on any machine",
        load: async () => (await import("./commands/worker.ts")).worker,
      },
      {
        name: "stop",
        summary: "stop the owner of the state folder",
        load: async () => (await import("./commands/stop.ts")).stop,
      },
      {
        name: "clean",
        summary: "remove artifacts that nothing which is open needs",
        load: async () => (await import("./commands/clean.ts")).clean,
      },
      {
        name: "doctor",
        summary: "check what this machine has and lacks",
        load: async () => (await import("./commands/doctor.ts")).doctor,
      },
    ],
  },
];

export const commandEntries: readonly CommandEntry[] = commandGroups.flatMap(({ commands }) => commands);
