import { AppError, type FailureInfo } from "@tutti/kernel";
import type { InstanceCommand } from "@tutti/protocol";
import type { Command, Context } from "../../command.ts";
import { keyedId, resolveKeyedId } from "../../process/keyed-name.ts";
import { objectOption } from "../../process/object-option.ts";
import { sendCommand } from "../../process/send.ts";
import { actor } from "../../run/actor.ts";

const dids = { complete: "Completed", fail: "Failed", throw: "Threw the error of" } as const;

export const processJob: Command = {
  name: "process job",
  summary: "Does a job in place of a worker: completes it, lets it fail, or throws a BPMN error.",
  about:
    "Jobs that no worker here does wait until somebody does this. A job that fails is tried again as its definition says, and becomes an incident when no attempt is left.",
  options: {
    result: { value: "JSON", help: "complete: what it gives, or @FILE with it (default: {})" },
    code: { value: "CODE", help: "fail, throw: of the failure, or the error that the process may catch" },
    message: { value: "TEXT", help: "fail, throw: in words" },
    "no-retry": { help: "fail: do not try again, whatever attempts are left" },
  },
  arguments: [
    { name: Object.keys(dids).join("|"), help: "what to do", required: true },
    { name: "JOB", help: "INSTANCE:KEY, as `tutti process show` lists it", required: true },
  ],
  examples: [
    `tutti process job complete order-17:4 --result '{"receipt": "R-1"}'`,
    "tutti process job throw order-17:4 --code card-declined",
  ],
  async run(context) {
    const { input, out } = context;
    const action = input.argument(0) ?? "";
    if (!isAction(action)) {
      throw new AppError("option-invalid", `Expected one of ${Object.keys(dids).join(", ")}, but got '${action}'`);
    }
    const job = await resolveKeyedId(context, input.argument(1) ?? "", "job");
    const position = await sendCommand(context, job.instanceId, await commandOf(context, action, job.key));
    out.text(`${dids[action]} ${keyedId(job)}.`);
    out.document({ job: keyedId(job), action, position });
    return 0;
  },
};

function isAction(text: string): text is keyof typeof dids {
  return Object.hasOwn(dids, text);
}

async function commandOf(context: Context, action: keyof typeof dids, key: number): Promise<InstanceCommand> {
  if (action === "complete") {
    return { type: "complete-job", key, result: await objectOption(context, "result"), actor: actor() };
  }
  const error = failureOf(context, action);
  if (action === "throw") return { type: "throw-job-error", key, error };
  return { type: "fail-job", key, error, retryable: !context.input.flag("no-retry") };
}

function failureOf({ input }: Context, action: string): FailureInfo {
  const code = input.text("code");
  if (code === undefined) throw new AppError("input-needed", `Expected --code with ${action}, but there is none`);
  return { code, message: input.text("message") ?? `${actor()} said so` };
}
