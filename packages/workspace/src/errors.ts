import type { ErrorTable } from "@tutti/kernel";

export const workspaceErrors: ErrorTable = {
  "git-not-found": { exit: 2, status: 500, advice: "Install git 2.39 or newer and make sure it is on the PATH." },
  "git-too-old": {
    exit: 2,
    status: 500,
    advice: "Install git 2.39 or newer: older ones cannot merge without a work tree.",
  },
  "git-failed": { exit: 1, status: 500, advice: "Read git's own words in the message; the repository is unchanged." },
  "git-timeout": {
    exit: 1,
    status: 504,
    advice: "Look for a slow disk or a lock held by another program, then resume.",
  },
  "git-aborted": {
    exit: 7,
    status: 499,
    advice: "Nothing: the work was stopped on request. Resume goes on from there.",
  },
  "git-output-too-large": {
    exit: 1,
    status: 500,
    advice: "Split the change: git's answer is larger than Tutti holds in memory.",
  },
  "ref-invalid": { exit: 2, status: 422, advice: "Use a branch name that `git check-ref-format --branch` accepts." },
  "repository-not-found": {
    exit: 2,
    status: 422,
    advice: "Name a folder inside a git repository, or run `git init` and commit there.",
  },
  "repository-not-owned": {
    exit: 2,
    status: 422,
    advice: "The repository belongs to another user: change its owner, or add it to git's safe.directory.",
  },
  "repository-bare": { exit: 2, status: 422, advice: "Clone the bare repository and name the clone." },
  "repository-dirty": {
    exit: 2,
    status: 422,
    advice: "Commit or stash your changes, or give --allow-dirty: then only what is committed is used.",
  },
  "repository-damaged": {
    exit: 1,
    status: 500,
    advice: "Run `git fsck` in the repository and repair what it reports.",
  },
  "branch-unborn": { exit: 2, status: 422, advice: "Make a first commit: there is nothing to start from yet." },
  "base-not-found": { exit: 2, status: 422, advice: "Name a branch, tag or commit that exists in the repository." },
  "branch-exists": { exit: 1, status: 409, advice: "Choose another branch name, or allow the branch to be replaced." },
  "branch-checked-out": {
    exit: 1,
    status: 409,
    advice: "Check out another branch first: Tutti never moves the branch that you stand on.",
  },
  "workspace-not-found": {
    exit: 1,
    status: 404,
    advice: "The workspace was removed; retry the unit to get a new one.",
  },
  "workspace-exists": { exit: 1, status: 409, advice: "Adopt the workspace, or remove it first." },
  "workspace-unusable": {
    exit: 1,
    status: 500,
    advice: "Retry the unit: its workspace was damaged, and nothing was taken from it.",
  },
  "capture-too-large": {
    exit: 1,
    status: 413,
    advice: "Add what the build makes to .gitignore; the message names the limit that was reached.",
  },
  "bundle-base-missing": {
    exit: 1,
    status: 409,
    advice: "Fetch what the commit builds on first; the message names it.",
  },
};
