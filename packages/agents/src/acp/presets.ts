import { AppError } from "@tutti/kernel";
import { findProgram } from "../cage/program.ts";
import type { AcpAgentOptions } from "./acp-agent.ts";

/** A coding agent we know how to start. */
export interface AgentPreset extends Pick<AcpAgentOptions, "name" | "command" | "environment" | "mode"> {
  readonly title: string;
  /** What to install, as an npm package or a place to look. */
  readonly install: string;
  /** Programs that must be on PATH besides the command itself. */
  readonly needs: readonly string[];
  /** Environment variables it takes its key from; passed on only when the user names them. */
  readonly keys: readonly string[];
  /** Where it keeps its configuration and login, relative to HOME; copied only when the user says so. */
  readonly configuration: readonly string[];
}

const quiet = { NO_COLOR: "1", DISABLE_AUTOUPDATER: "1" };

const presets: readonly AgentPreset[] = [
  {
    name: "claude",
    title: "Claude Code",
    command: ["claude-agent-acp"],
    install: "npm i -g @agentclientprotocol/claude-agent-acp",
    needs: [],
    keys: ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_BASE_URL"],
    configuration: [".claude.json", ".claude/settings.json", ".claude/.credentials.json"],
    environment: { ...quiet, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" },
  },
  {
    name: "codex",
    title: "Codex",
    // Its own sandbox would need namespaces inside ours and makes .git read-only; the cage around it stays.
    command: ["codex-acp", "--mode", "agent-full-access"],
    install: "npm i -g @agentclientprotocol/codex-acp",
    needs: [],
    keys: ["OPENAI_API_KEY", "CODEX_API_KEY"],
    configuration: [".codex/config.toml", ".codex/auth.json"],
    environment: quiet,
  },
  {
    name: "gemini",
    title: "Gemini CLI",
    command: ["gemini", "--acp"],
    install: "npm i -g @google/gemini-cli",
    needs: [],
    keys: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    configuration: [".gemini/settings.json", ".gemini/oauth_creds.json"],
    environment: { ...quiet, GEMINI_CLI_TRUST_WORKSPACE: "true" },
  },
  {
    name: "opencode",
    title: "OpenCode",
    command: ["opencode", "acp"],
    install: "npm i -g opencode-ai",
    needs: [],
    keys: ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENCODE_API_KEY"],
    configuration: [".config/opencode", ".local/share/opencode/auth.json"],
    environment: { ...quiet, OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_LSP_DOWNLOAD: "1" },
  },
  {
    name: "pi",
    title: "Pi",
    command: ["pi-acp"],
    install: "npm i -g pi-acp @earendil-works/pi-coding-agent",
    needs: ["pi"],
    keys: ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"],
    configuration: [".pi/agent/settings.json", ".pi/agent/models.json", ".pi/agent/auth.json"],
    environment: quiet,
  },
  {
    name: "qwen",
    title: "Qwen Code",
    command: ["qwen", "--acp"],
    install: "npm i -g @qwen-code/qwen-code",
    needs: [],
    keys: ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "DASHSCOPE_API_KEY"],
    configuration: [".qwen/settings.json", ".qwen/oauth_creds.json"],
    environment: quiet,
  },
  {
    name: "kimi",
    title: "Kimi Code",
    command: ["kimi", "acp"],
    install: "npm i -g @moonshot-ai/kimi-code",
    needs: [],
    keys: ["MOONSHOT_API_KEY", "KIMI_API_KEY"],
    configuration: [".kimi"],
    environment: quiet,
  },
  {
    name: "copilot",
    title: "GitHub Copilot CLI",
    command: ["copilot", "--acp"],
    install: "npm i -g @github/copilot",
    needs: [],
    keys: ["GH_TOKEN", "GITHUB_TOKEN", "COPILOT_GITHUB_TOKEN"],
    configuration: [".copilot/config.json"],
    environment: quiet,
  },
  {
    name: "kilo",
    title: "Kilo Code",
    command: ["kilo", "acp"],
    install: "npm i -g @kilocode/cli",
    needs: [],
    keys: ["KILO_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"],
    configuration: [".config/kilo", ".local/share/kilo/auth.json"],
    environment: quiet,
  },
];

export const agentPresetNames: readonly string[] = presets.map(({ name }) => name);

/** Throws AppError `agent-unknown`. The result is what `acpAgent` takes. */
export function agentPreset(name: string): AgentPreset {
  const preset = presets.find((each) => each.name === name);
  if (preset !== undefined) return preset;
  throw new AppError("agent-unknown", `Expected one of ${agentPresetNames.join(", ")}, but found '${name}'.`, {
    details: { name, known: [...agentPresetNames] },
  });
}

export interface DetectedAgent {
  readonly preset: AgentPreset;
  /** Absolute path of its command; null when it is not installed. */
  readonly program: string | null;
  /** Which of its programs are missing. */
  readonly missing: readonly string[];
  /** Which of its keys are set in our environment; names only. */
  readonly keysSet: readonly string[];
}

/** Looks for every known agent on PATH; starts nothing. */
export async function detectAgents(path: string = process.env["PATH"] ?? ""): Promise<readonly DetectedAgent[]> {
  return Promise.all(
    presets.map(async (preset) => {
      const [command = ""] = preset.command;
      const missing: string[] = [];
      for (const name of [command, ...preset.needs]) {
        if ((await findProgram(name, path)) === undefined) missing.push(name);
      }
      const keysSet = preset.keys.filter((key) => process.env[key] !== undefined);
      return { preset, program: (await findProgram(command, path)) ?? null, missing, keysSet };
    }),
  );
}
