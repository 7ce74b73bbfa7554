import { randomUUID } from "node:crypto";
import { instanceStartedSchema, type StartInstance } from "@tutti/protocol";
import type { Command } from "../../command.ts";
import { objectOption } from "../../process/object-option.ts";
import { ownerHere } from "../../run/access.ts";
import { actor } from "../../run/actor.ts";
import { makeRunId } from "../../run/run-id.ts";
import { wordsOf } from "../../run/words.ts";
import { quote } from "../../terminal/text.ts";

export const processStart: Command = {
  name: "process start",
  summary: "Starts an instance of a deployed process and gives its id.",
  about: "Starting twice with one --id starts once. It goes on in the background, over crashes and restarts.",
  options: {
    vars: { value: "JSON", help: "variables to start with, or @FILE with them" },
    id: { value: "ID", help: "its id (default: made of the process's)" },
    key: { value: "KEY", help: "business key: an order number, a ticket" },
    version: { value: "VERSION", help: "default: what the rollout says, or else what was deployed last" },
    "routing-key": { value: "KEY", help: "stays with one version during a rollout (default: the business key)" },
  },
  arguments: [{ name: "PROCESS", help: "id of the process", required: true }],
  examples: [`tutti process start order --vars '{"amount": 80}' --key A-17`, "tutti process start order --id order-17"],
  async run(context) {
    const { input, out } = context;
    const process = input.argument(0) ?? "";
    const [id, version] = [input.text("id"), input.text("version")];
    const [businessKey, routingKey] = [input.text("key"), input.text("routing-key")];
    const body: StartInstance = {
      requestId: id ?? randomUUID(),
      process,
      instanceId: id ?? makeRunId(process),
      ...(version === undefined ? {} : { version }),
      ...(businessKey === undefined ? {} : { businessKey }),
      ...(routingKey === undefined ? {} : { routingKey }),
      variables: await objectOption(context, "vars"),
      actor: actor(),
    };
    const client = await ownerHere(context);
    const started = await client.ask({ method: "POST", path: "/v1/instances", body }, instanceStartedSchema);
    out.text(started.id);
    out.document({ instance: started.id, process });
    out.note(`→ ${wordsOf(context).tutti(`process show ${quote(started.id)}`)}`);
    return 0;
  },
};
