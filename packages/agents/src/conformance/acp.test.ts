import { acpAgent } from "../acp/acp-agent.ts";
import { cagesHere } from "../testing/setup.ts";
import { testAgent } from "./agent.suite.ts";
import { testProgram } from "./test-program.ts";

const agent = () => acpAgent({ name: "test", command: testProgram.command("acp"), readable: testProgram.readable });

for (const cage of await cagesHere()) testAgent({ name: "acp", agent }, cage);
