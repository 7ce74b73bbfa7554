import type { BroadcastSignal } from "@tutti/protocol";
import type { Command } from "../../command.ts";
import { objectOption } from "../../process/object-option.ts";
import { ownerHere } from "../../run/access.ts";

export const processSignal: Command = {
  name: "process signal",
  summary: "Broadcasts a signal to everybody who waits for it now, and starts what begins with it.",
  options: {
    vars: { value: "JSON", help: "what it brings, or @FILE with it" },
    id: { value: "ID", help: "broadcasting twice with one id within the hour broadcasts once" },
  },
  arguments: [{ name: "SIGNAL", help: "its name", required: true }],
  examples: ["tutti process signal stop-all"],
  async run(context) {
    const { input, out } = context;
    const name = input.argument(0) ?? "";
    const id = input.text("id");
    const variables = await objectOption(context, "vars");
    const body: BroadcastSignal = { name, ...(id === undefined ? {} : { id }), variables };
    const client = await ownerHere(context);
    await client.json({ method: "POST", path: "/v1/signals", body });
    out.text(`Everybody who waited for '${name}' gets it.`);
    out.document({ signal: name });
    return 0;
  },
};
