import { resolve } from "node:path";
import { AppError } from "@tutti/kernel";
import { acpAgent } from "./acp/acp-agent.ts";
import { agentPreset, agentPresetNames } from "./acp/presets.ts";
import type { Agent } from "./agent.ts";
import { bubblewrapCage, findBubblewrap } from "./cage/bubblewrap.ts";
import type { Cage, CageOptions } from "./cage/cage.ts";
import { uncaged } from "./cage/none.ts";
import { cliAgent } from "./cli/cli-agent.ts";
import { readAgentScript } from "./scripted/script.ts";
import { scriptedAgent } from "./scripted/scripted.ts";

export interface SelectedAgent {
  readonly agent: Agent;
  /** It is one of ours and does only what its script says: it may run where there is no sandbox. */
  readonly bundled: boolean;
  /** Environment variables it takes its key from, for messages; none is passed on unless the user names it. */
  readonly keys: readonly string[];
}

/**
 * An agent by the name a user gives it: `scripted:<file>`, `cli:<command>`, `acp:<command>` (words, or a JSON list
 * when words do not do), or a known coding agent such as `claude`. Rejects with AppError `agent-unknown` or
 * `script-invalid`; whether its program exists shows when it runs.
 */
export async function selectAgent(name: string): Promise<SelectedAgent> {
  const colon = name.indexOf(":");
  const rest = name.slice(colon + 1).trim();
  const kind = colon < 0 ? "" : name.slice(0, colon);
  if (kind !== "" && rest === "") throw new AppError("agent-unknown", `Expected something after '${kind}:'.`);
  if (kind === "scripted") {
    return { agent: scriptedAgent(await readAgentScript(resolve(rest))), bundled: true, keys: [] };
  }
  if (kind === "cli") return { agent: cliAgent({ name, command: words(rest) }), bundled: false, keys: [] };
  if (kind === "acp") return { agent: acpAgent({ name, command: words(rest) }), bundled: false, keys: [] };
  if (kind !== "") {
    const known = `scripted:<file>, cli:<command>, acp:<command>, ${agentPresetNames.join(", ")}`;
    throw new AppError("agent-unknown", `Expected one of ${known}, but found '${name}'.`);
  }
  const preset = agentPreset(name);
  return { agent: acpAgent(preset), bundled: false, keys: preset.keys };
}

export interface CageChoice extends CageOptions {
  /** What the user said; absent: bubblewrap where it works. */
  readonly sandbox?: "bubblewrap" | "none";
  /** From `SelectedAgent`: whether it may run without a sandbox although nobody said so. */
  readonly bundled: boolean;
}

/** Rejects with AppError `sandbox-missing` when there is none and neither the user nor the agent allows to go without. */
export async function selectCage(choice: CageChoice): Promise<Cage> {
  if (choice.sandbox === "none") return uncaged(choice);
  const found = await findBubblewrap();
  if (found.ok) return bubblewrapCage(found.bubblewrap, choice);
  if (choice.bundled && choice.sandbox === undefined) return uncaged(choice);
  throw new AppError("sandbox-missing", `Expected a sandbox to run the agent in, but ${found.reason}.`);
}

function words(command: string): readonly string[] {
  if (!command.startsWith("[")) return command.split(/\s+/);
  try {
    const list: unknown = JSON.parse(command);
    if (Array.isArray(list) && list.length > 0 && list.every((each) => typeof each === "string")) return list;
  } catch {
    // Said below, together with the other ways to get it wrong.
  }
  throw new AppError("agent-unknown", `Expected a JSON list of words, but found '${command}'.`);
}
