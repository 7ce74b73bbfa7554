import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** How the suite's own agent is started, and what it reads: its source and the SDK it imports. */
export const testProgram: {
  readonly command: (protocol: "acp" | "cli") => readonly string[];
  readonly readable: readonly string[];
} = {
  command: (protocol) => [
    process.execPath,
    fileURLToPath(new URL("../testing/test-agent.ts", import.meta.url)),
    protocol,
  ],
  readable: [here("../testing"), here("../../package.json"), here("../../../../node_modules")],
};
