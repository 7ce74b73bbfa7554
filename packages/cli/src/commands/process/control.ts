import type { InstanceView } from "@tutti/kernel";
import { AppError } from "@tutti/kernel";
import type { InstanceCommand } from "@tutti/protocol";
import type { Command, Context } from "../../command.ts";
import { instanceArgument, instanceHere, reasonOf, reasonOption, sendCommand } from "../../process/send.ts";
import { actor } from "../../run/actor.ts";

export const processPause: Command = {
  name: "process pause",
  summary: "Starts nothing new in an instance and in what it called, until it is resumed.",
  options: { now: { help: "also stop the jobs that run; they are offered again on resume" }, ...reasonOption },
  arguments: [instanceArgument],
  run: (context) => {
    const stopRunning = context.input.flag("now");
    return send(context, "Paused", { type: "pause-instance", stopRunning, reason: reasonOf(context), actor: actor() });
  },
};

export const processResume: Command = {
  name: "process resume",
  summary: "Goes on with a paused instance: with what came meanwhile, and timers that were due.",
  options: {},
  arguments: [instanceArgument],
  run: (context) => send(context, "Resumed", { type: "resume-instance", actor: actor() }),
};

export const processCancel: Command = {
  name: "process cancel",
  summary: "Ends an instance and everything that it called.",
  about:
    "With --undo everything that completed is undone first, the last first, by what the process names to undo it. `tutti process show` tells how far that is; cancelled again without --undo, it ends at once.",
  options: { undo: { help: "undo first what it did, and what it called did" }, ...reasonOption },
  arguments: [instanceArgument],
  examples: ["tutti process cancel order-17 --undo --reason 'The customer called it off.'"],
  run: (context) => {
    const cancel: InstanceCommand = { type: "cancel-instance", reason: reasonOf(context), actor: actor() };
    if (!context.input.flag("undo")) return send(context, "Cancelled", cancel);
    return send(context, "Undoing and then cancelling", { ...cancel, undo: true });
  },
};

export const processRetry: Command = {
  name: "process retry",
  summary: "Tries again what is an incident in an instance, after its cause is gone.",
  options: {
    incident: {
      value: "KEY",
      repeated: true,
      help: "only these, as --json of `tutti process show` numbers them (default: all)",
    },
    accept: { help: "go on without the failed items of a collection instead" },
    ...reasonOption,
  },
  arguments: [instanceArgument],
  examples: ["tutti process retry order-17 --reason 'The printer has paper again.'"],
  async run(context) {
    const { input, out } = context;
    const view = await instanceHere(context);
    const instance = view.instanceId;
    const action = input.flag("accept") ? "accept" : "retry";
    const keys = chosen(view, { action, given: input.list("incident") });
    for (const key of keys) {
      await sendCommand(context, instance, {
        ...{ type: "resolve-incident", key, action },
        ...{ reason: reasonOf(context), actor: actor() },
      });
    }
    out.text(`${action === "accept" ? "Accepted" : "Tried again"} ${keys.length} of ${instance}.`);
    out.document({ instance, action, incidents: keys });
    return 0;
  },
};

function chosen(
  { instanceId, incidents }: InstanceView,
  { action, given }: { readonly action: "accept" | "retry"; readonly given: readonly string[] },
): readonly number[] {
  const fitting = incidents.filter(({ kind }) => action === "retry" || kind === "items-failed");
  const keys = fitting.map(({ key }) => key).filter((key) => given.length === 0 || given.includes(String(key)));
  if (keys.length > 0 && given.every((text) => keys.includes(Number(text)))) return keys;
  const open = fitting.map(({ key }) => key).join(", ") || "none";
  throw new AppError("nothing-failed", `Expected an incident of ${instanceId} to ${action}, but there is ${open}`);
}

async function send(context: Context, did: string, command: InstanceCommand): Promise<number> {
  const { instanceId: instance } = await instanceHere(context);
  const position = await sendCommand(context, instance, command);
  context.out.text(`${did} ${instance}.`);
  context.out.document({ instance, position });
  return 0;
}
