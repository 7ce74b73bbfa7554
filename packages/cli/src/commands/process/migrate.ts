import type { Migration } from "@tutti/engine";
import type { Event, InstanceView, MigrationProblem } from "@tutti/kernel";
import type { MigrateInstance } from "@tutti/protocol";
import type { Command, Context } from "../../command.ts";
import { type Afterwards, afterMigration } from "../../process/after-migration.ts";
import { pair } from "../../process/pairs.ts";
import { instanceArgument, reasonOf, reasonOption } from "../../process/send.ts";
import { ownerHere, withAccess } from "../../run/access.ts";
import { actor } from "../../run/actor.ts";
import { instanceNamed } from "../../run/instance-id.ts";

export const processMigrate: Command = {
  name: "process migrate",
  summary: "Moves instances that run to another version of their process, or says what is in the way.",
  about:
    "Everything that waits goes along under the same id: jobs, tasks, timers with the time that is left, messages, called processes, incidents, and what can be undone. It is done as a whole or not at all; --dry-run only tells, and also whether it can still end there. A timer at the boundary of an element is an element of its own: map it too, or it begins anew. Exit status 1: something is in the way.",
  options: {
    to: { value: "VERSION", help: "the version to go on under (default: what was deployed last)" },
    map: {
      value: "OLD=NEW",
      repeated: true,
      help: "an element that is called otherwise there, or a flow whose waiting tokens go on by another one",
    },
    "dry-run": { help: "tell what is kept and what is in the way; change nothing" },
    ...reasonOption,
  },
  arguments: [{ ...instanceArgument, repeated: true }],
  examples: [
    "tutti process migrate order-17 --to 2 --dry-run",
    "tutti process migrate order-17 order-18 --to 2 --map approve=sign-off",
  ],
  async run(context) {
    const { input, out } = context;
    const client = await ownerHere(context);
    const told: Told[] = [];
    for (const given of input.arguments()) {
      const view = await withAccess(context, ({ reader }) => instanceNamed(reader, given));
      const instance = view.instanceId;
      const path = `/v1/instances/${encodeURIComponent(instance)}/migrations`;
      const body = bodyOf(context, view);
      const migration = (await client.json({ method: "POST", path, body })) as Migration;
      const moved = movedBy(migration);
      const afterwards =
        body.dryRun && moved !== undefined
          ? await afterMigration(context.state, instance, { hash: moved.hash, mapping: body.mapping ?? {} })
          : null;
      const each: Told = { ...toldOf(view, migration), afterwards };
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
  /** Of a dry run: whether it can end there. */
  readonly afterwards: Afterwards | null;
}

function movedBy(migration: Migration): Extract<Event, { type: "instance-migrated" }> | undefined {
  return migration.ok ? migration.events.find((event) => event.type === "instance-migrated") : undefined;
}

function toldOf(
  { instanceId: instance, version: from, elements }: InstanceView,
  migration: Migration,
): Omit<Told, "afterwards"> {
  if (!migration.ok) {
    const { reason, problems = [] } = migration.rejection;
    return { instance, ok: false, from, to: null, kept: [], changes: [], problems, reason };
  }
  const moved = movedBy(migration);
  const names = moved?.elements ?? {};
  const kept = elements.map(({ element, key }) => ({ element, key, becomes: names[element] ?? element }));
  const changes = migration.events.filter((event) => event !== moved);
  return { instance, ok: true, from, to: moved?.version ?? null, kept, changes, problems: [], reason: null };
}

function tell({ out, input }: Context, told: Told): void {
  const { instance, ok, from, to, kept, changes, problems, reason, afterwards } = told;
  const { bold, red, yellow } = out.style;
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
  for (const { code, message, path } of afterwards?.findings ?? []) {
    out.text(`  ${yellow(`then ${code}`)}: ${message}`);
    out.text(out.style.dim(`    by way of ${path.join(" → ")}`));
  }
  if (afterwards?.verdict === "unknown")
    out.text(`  Whether it can end there is not known. ${afterwards.reason ?? ""}`);
}

function changeText(event: Event): string {
  const what = "element" in event && typeof event.element === "string" ? ` of ${event.element}` : "";
  const names = event.type === "variables-set" ? ` ${Object.keys(event.values).join(", ")}` : "";
  return `${event.type.replaceAll("-", " ")}${names}${what}`;
}
