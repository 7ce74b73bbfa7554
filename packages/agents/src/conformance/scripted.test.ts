import { parseAgentScript } from "../scripted/script.ts";
import { scriptedAgent } from "../scripted/scripted.ts";
import { cagesHere } from "../testing/setup.ts";
import { type Behaviour, testAgent } from "./agent.suite.ts";

const endings: { readonly [B in Behaviour]: object } = {
  complete: { outcome: { summary: "wrote done.txt" } },
  fail: { outcome: { fail: { message: "a planned failure" } } },
  refuse: { outcome: { fail: { code: "agent-refused", message: "not this", retryable: false } } },
  crash: { misbehave: "crash" },
  hang: { misbehave: "hang" },
  flood: { misbehave: "flood" },
  garbage: { misbehave: "garbage-output" },
  "exit-nonzero": { misbehave: "exit-nonzero" },
  "leave-child": { misbehave: "leave-child" },
};

const agent = (behaviour: Behaviour) => {
  const steps = [{ say: "working" }, { write: { path: "done.txt", content: "done" } }];
  const script = { format: "tutti-script/1", tasks: { "unit-1": [{ steps, ...endings[behaviour] }] } };
  return scriptedAgent(parseAgentScript(JSON.stringify(script), "test"));
};

for (const cage of await cagesHere()) testAgent({ name: "scripted", agent }, cage);
