import type { ErrorCode, ErrorTable } from "@tutti/kernel";

const fix = "Correct the plan at the place named and start again; nothing was written.";

export type PlanErrorCode =
  | "plan-unreadable"
  | "plan-schema"
  | "plan-duplicate-unit"
  | "plan-unknown-dependency"
  | "plan-cycle"
  | "plan-unknown-requirement"
  | "plan-uncovered-requirement"
  | "plan-no-check"
  | "plan-agent"
  | "plan-path"
  | "plan-creates-twice"
  | "plan-creates-existing"
  | "plan-claims-nothing"
  | "plan-claim-empty"
  | "plan-unmet-need"
  | "plan-hot-file"
  | "plan-large-unit"
  | "plan-not-parallel";

/** Problems of a plan. All of them are reported at once. */
export const planErrors: { readonly [C in PlanErrorCode]: ErrorCode } = {
  "plan-unreadable": {
    exit: 2,
    status: 422,
    advice: "Give a readable file: YAML or JSON of at most 1 MiB, format tutti-plan/1.",
  },
  "plan-schema": { exit: 2, status: 422, advice: fix },
  "plan-duplicate-unit": { exit: 2, status: 422, advice: "Give every unit an id of its own." },
  "plan-unknown-dependency": { exit: 2, status: 422, advice: "Let dependsOn name units of the same plan." },
  "plan-cycle": { exit: 2, status: 422, advice: "Remove one of the dependencies on the path that is shown." },
  "plan-unknown-requirement": { exit: 2, status: 422, advice: "Let requirements name those at the top of the plan." },
  "plan-uncovered-requirement": {
    exit: 2,
    status: 422,
    advice: "Give every requirement a unit that serves it, or take it out.",
  },
  "plan-no-check": {
    exit: 2,
    status: 422,
    advice: "Give the unit a command under verify, or an acceptance criterion with a check.",
  },
  "plan-agent": {
    exit: 2,
    status: 422,
    advice: "Leave the agent out, or write the plan yourself: agents run on your machine, so a planner chooses none.",
  },
  "plan-path": { exit: 2, status: 422, advice: "Claim paths inside the repository, relative to its root." },
  "plan-creates-twice": {
    exit: 2,
    status: 422,
    advice: "Let one unit create the file; the others depend on it and list the path under may.",
  },
  "plan-creates-existing": {
    exit: 2,
    status: 422,
    advice: "Move the path to owns or may if the unit changes a file that is there.",
  },
  "plan-claims-nothing": {
    exit: 2,
    status: 422,
    advice: "List what the unit may write under touches; everything else it writes is refused.",
  },
  "plan-claim-empty": {
    exit: 2,
    status: 422,
    advice: "Check the spelling of the glob; it matches no file of the repository.",
  },
  "plan-unmet-need": { exit: 2, status: 422, advice: "Depend on the unit that provides it." },
  "plan-hot-file": { exit: 2, status: 422, advice: "Expect conflicts there, or let one unit own the file." },
  "plan-large-unit": { exit: 2, status: 422, advice: "Split it: agents succeed far more often at small changes." },
  "plan-not-parallel": { exit: 2, status: 422, advice: "One agent in one unit would do as well, at less cost." },
};

/** Why a job of the flagship failed, besides what agents and git say themselves. */
export const jobErrors: ErrorTable = {
  "plan-invalid": {
    exit: 2,
    status: 422,
    advice: "Correct the plan as its problems say, or start with one of your own.",
  },
  "partial-rejected": {
    exit: 1,
    status: 409,
    advice: "Start again with smaller units or another agent; what was finished is kept in Tutti's own repository.",
  },
  "threshold-not-met": {
    exit: 8,
    status: 409,
    advice: "Approve it with a reason to publish the part, or reject it; the threshold is `--threshold`.",
  },
  "regenerate-failed": {
    exit: 1,
    status: 502,
    advice: "Run the plan's regenerate command on the merged tree yourself: it must write the file that conflicts.",
  },
  "plan-rejected": { exit: 1, status: 409, advice: "Change the plan and start again; nothing was written." },
  "input-missing": {
    exit: 2,
    status: 422,
    advice: "Compare the inputs of the step with the shipped definition: the job needs all that it names.",
  },
  "run-elsewhere": {
    exit: 1,
    status: 409,
    advice:
      "Name one store of artifacts on all machines (`$TUTTI_ARTIFACTS`, or `artifacts` in tutti.json) before a run is started.",
  },
  "job-aborted": { exit: 7, status: 409, advice: "Nothing to repair: resume goes on from there." },
  "command-not-started": {
    exit: 1,
    status: 502,
    advice: "Read the reason in the message: the sandbox or the state folder is in the way, not the work.",
  },
  "prepare-failed": {
    exit: 1,
    status: 502,
    advice: "Run the plan's prepare command on the base yourself; it may need `--network host`.",
  },
  "base-conflict": {
    exit: 4,
    status: 409,
    advice: "Resolve the paths by hand (`tutti conflict list`), then retry the unit.",
  },
  "conflict-parked": {
    exit: 4,
    status: 409,
    advice: "Resolve the paths that are named (`tutti conflict list`), or retry, or go on without the unit.",
  },
  "conflict-markers": {
    exit: 2,
    status: 422,
    advice: "Take out the lines of <<<<<<<, |||||||, ======= and >>>>>>>, so that the file is as it should be.",
  },
  "conflict-unknown": { exit: 2, status: 404, advice: "See which paths wait with `tutti conflict list`." },
  "checks-red-before-merge": {
    exit: 3,
    status: 409,
    advice: "Repair the plan's checks: they fail before anything of the batch is merged, so no unit can be blamed.",
  },
  "work-loop-exhausted": {
    exit: 1,
    status: 409,
    advice: "Read what failed in the unit's last attempt, adjust the unit or its agent, then retry it.",
  },
  "merge-red": {
    exit: 3,
    status: 409,
    advice: "Read what turns the checks red; retry to repair it once more, or go on without the unit.",
  },
};
