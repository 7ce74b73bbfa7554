import type { Options } from "../args/option.ts";
import type { Command } from "../command.ts";

const runOptionTable: Options = {
  repo: { value: "DIR", help: "the git repository to work for (default: here)" },
  plan: { value: "FILE", help: "use this plan; without one a planner agent makes it" },
  agent: { value: "NAME", help: "a coding agent by name, cli:COMMAND or acp:COMMAND; see `tutti doctor`" },
  script: { value: "FILE", help: "script of the scripted agents" },
  base: { value: "REV", help: "branch, tag or commit to start from (default: what is checked out)" },
  "allow-dirty": { help: "start although there are changes that are not committed; they are not used" },
  approve: { help: "let a person approve the plan first" },
  "accept-partial": { help: "publish by itself once the threshold is reached, labelled partial" },
  threshold: { value: "SHARE", help: "share of the planned units that a partial result needs (default: 0.8)" },
  "max-parallel": { value: "N", help: "at most this many units at once (default: 5)" },
  attempts: { value: "N", help: "attempts of one work loop (default: 5)" },
  rounds: { value: "N", help: "how often a failed unit is tried again as a whole (default: 3)" },
  "agent-timeout": { value: "SECONDS", help: "end an agent that takes longer (default: 900)" },
  "agent-silence": { value: "SECONDS", help: "end an agent that says nothing for so long (default: 120)" },
  "check-timeout": { value: "SECONDS", help: "end a check that takes longer (default: 600)" },
  branch: { value: "NAME", help: "branch to publish (default: tutti/RUN)" },
  sandbox: { value: "KIND", help: "auto, bubblewrap, or none: your own rights (default: auto)" },
  network: { value: "KIND", help: "none, or host: let agents reach the network (default: none)" },
  env: { value: "NAME", repeated: true, help: "environment variable that agents may see" },
  id: { value: "ID", help: "name of the run (default: made from the feature)" },
  detach: { help: "return as soon as it has started" },
  foreground: { help: "own the state folder in this process; it ends with the run" },
};

export const run: Command = {
  name: "run",
  summary:
    "Makes a feature in a repository: plans it, has agents work side by side, merges, verifies, publishes a branch.",
  about:
    "Everything that can be checked is checked before anything is written. The run goes on when you close the terminal; Ctrl-C stops watching it. Your branches and files are not touched; the result is a new branch.",
  options: runOptionTable,
  arguments: [{ name: "FEATURE", help: "the request, in quotes; may be left out with --plan" }],
  examples: [
    'tutti run "dark mode" --repo ~/code/app --agent claude',
    'tutti run "dark mode" --plan plan.yaml --agent opencode --approve --detach',
  ],
  async run(context) {
    context.out.note("Checking the repository, the plan, the agents and their sandbox.");
    // Loaded only now, so that the first words are there at once.
    const { startRun } = await import("../run/start-run.ts");
    return startRun(context);
  },
};
