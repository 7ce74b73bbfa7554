import type { Migration } from "@tutti/engine";
import type { Event, InstanceView, MigrationProblem } from "@tutti/kernel";
import type { MigrateInstance } from "@tutti/protocol";
import type { Command, Context } from "../../command.ts";
import { pair } from "../../process/pairs.ts";
import { reasonOf, reasonOption } from "../../process/send.ts";
import { ownerHere, withAccess } from "../../run/access.ts";
import { actor } from "../../run/actor.ts";

export const processMigrate: Command = {
  name: "process migrate",
  summary: "Moves instances that run to another version of their process, or says what is in the way.",
  about:
    "Everything that waits goes along under the same id: jobs, tasks, timers with the time that is left, messages, called processes, incidents, and what can be undone. It is done as a whole or not at all; --dry-run only tells. A timer at the boundary of an element is an element of its own: map it too, or it begins anew. Exit status 1: something is in the way.",
  options: {
    to: { value: "VERSION", help: "the version to go on under (default: what was deployed last)" },
    map: { value: "OLD=NEW", repeated: true, help: "an element that is called otherwise there" },
    "dry-run": { help: "tell what is kept and what is in the way; change nothing" },
    ...reasonOption,
  },
  arguments: [{ name: "INSTANCE", help: "id of an instance", required: true, repeated: true }],
  examples: [
    "tutti process migrate order-17 --to 2 --dry-run",
    "tutti process migrate order-17 order-18 --to 2 --map approve=sign-off",
  ],
  async run(context) {
    const { input, out } = context;
    const client = await ownerHere(context);
    const told: Told[] = [];
    for (const instance of input.arguments()) {
      const view = await withAccess(context, ({ reader }) => reader.instance(instance));
      const path = `/v1/instances/${encodeURIComponent(instance)}/migrations`;
      const migration = (await client.json({ method: "POST", path, body: bodyOf(context, view) })) as Migration;
      const each = toldOf(view, migration);
      told.push(each);
      tell(context, each);
    }
    out.document({ dryRun: input.flag("dry-run"), migrations: told });
    return told.every(({ ok }) => ok) ? 0 : 1;
  },
};

function bodyOf(context: Context, { process }: InstanceView): MigrateInstance {
  const { input } = context;
  const version = input.text("to");
  return {
    process,
    ...(version === undefined ? {} : { version }),
    mapping: Object.fromEntries(input.list("map").map((text) => pair(text, "--map OLD=NEW"))),
    dryRun: input.flag("dry-run"),
    reason: reasonOf(context),
    actor: actor(),
  };
}

interface Told {
  readonly instance: string;
  readonly ok: boolean;
  readonly from: string;
  readonly to: string | null;
  /** What is active, with its name there. */
  readonly kept: readonly { readonly element: string; readonly key: number; readonly becomes: string }[];
  /** What else changes, as it is recorded. */
  readonly changes: readonly Event[];
  readonly problems: readonly MigrationProblem[];
  readonly reason: string | null;
}

function toldOf({ instanceId: instance, version: from, elements }: InstanceView, migration: Migration): Told {
  if (!migration.ok) {
    const { reason, problems = [] } = migration.rejection;
    return { instance, ok: false, from, to: null, kept: [], changes: [], problems, reason };
  }
  const moved = migration.events.find((event) => event.type === "instance-migrated");
  const names = moved?.elements ?? {};
  const kept = elements.map(({ element, key }) => ({ element, key, becomes: names[element] ?? element }));
  const changes = migration.events.filter((event) => event !== moved);
  return { instance, ok: true, from, to: moved?.version ?? null, kept, changes, problems: [], reason: null };
}

function tell({ out, input }: Context, { instance, ok, from, to, kept, changes, problems, reason }: Told): void {
  const { bold, red } = out.style;
  if (!ok) {
    out.text(`${bold(instance)}: ${red("stays")} at version ${from}.`);
    for (const { element, code, message } of problems) out.text(`  ${element ?? "process"} (${code}): ${message}`);
    if (problems.length === 0 && reason !== null) out.text(`  ${reason}`);
    return;
  }
  out.text(`${bold(instance)}: ${input.flag("dry-run") ? "could go" : "went"} from version ${from} to ${to}.`);
  for (const { element, key, becomes } of kept) {
    out.text(`  ${element} #${key} ${becomes === element ? "stays" : `goes on as ${becomes}`}`);
  }
  for (const event of changes) out.text(`  ${changeText(event)}`);
}

function changeText(event: Event): string {
  const what = "element" in event && typeof event.element === "string" ? ` of ${event.element}` : "";
  const names = event.type === "variables-set" ? ` ${Object.keys(event.values).join(", ")}` : "";
  return `${event.type.replaceAll("-", " ")}${names}${what}`;
}
