import { cliAgent } from "../cli/cli-agent.ts";
import { cagesHere } from "../testing/setup.ts";
import { testAgent } from "./agent.suite.ts";
import { testProgram } from "./test-program.ts";

const agent = () => cliAgent({ name: "test", command: testProgram.command("cli"), readable: testProgram.readable });

for (const cage of await cagesHere()) testAgent({ name: "cli", agent }, cage);
