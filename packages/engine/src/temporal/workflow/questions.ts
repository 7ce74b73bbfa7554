import type { InstanceView, Json } from "@tutti/kernel";
import { refusal } from "./named-commands.ts";

/** `asked` is what came with the question, `now` epoch ms. Throws an ApplicationFailure for what it cannot answer. */
type Answer = (view: InstanceView, asked: unknown, now: number) => unknown;

interface Question {
  /** What Temporal's tools say of it. */
  readonly description: string;
  readonly answer: Answer;
}

/** What may be asked of a running instance, by Temporal's own tools too. */
export const questions: { readonly [name: string]: Question } = {
  current_state: { description: "Everything about it.", answer: (view) => view },
  get_status: {
    description: "How it stands, and what it waits for.",
    answer: ({ status, waiting, incidents }) => ({ status, waiting, incidents: incidents.length }),
  },
  progress: {
    description: "How far its collections have come.",
    answer: ({ collections }) => collections.map(({ element, counts }) => ({ element, ...counts })),
  },
  failure_summary: {
    description: "What went wrong and waits for a person.",
    answer: ({ incidents }) => incidents,
  },
  orchestration_status: {
    description: "How far the items of all its collections have come, with each of them.",
    answer: orchestrationStatus,
  },
  estimated_completion: {
    description: "When its items will have ended, if the others take as long as those that completed. Null: none did.",
    answer: (view, _asked, now) => estimatedCompletion(view, now),
  },
  agent_details: {
    description: "One of its items, or one of its elements, by id: what is active there, and what that waits for.",
    answer: agentDetails,
  },
  unit_status: {
    description: "What it is doing, and since when.",
    answer: (view) => ({
      unit_id: view.instanceId,
      name: view.process,
      status: view.status,
      started_at: view.startedAt,
      current_step: view.elements.map(({ element, since }) => ({ element, since })),
      iteration: variableOf(view, ["iteration", "attempt"]),
    }),
  },
  iteration_count: ofVariable("iteration", "attempt"),
  test_results: ofVariable("test_results", "tested"),
  pending_instructions: ofVariable("pending_instructions", "feedback"),
  checkpoint: ofVariable("checkpoint", "commit"),
  variable_history: {
    description: "The newest version of a variable, by name, who wrote it and when. The log has the older ones.",
    answer: variableHistory,
  },
};

/** What processes keep in a variable, by the first of these names that there is. */
function ofVariable(...names: readonly string[]): Question {
  const words = names.map((name) => `'${name}'`).join(" or else ");
  return { description: `Its variable ${words}; null: it has none.`, answer: (view) => variableOf(view, names) };
}

function variableOf({ variables }: InstanceView, names: readonly string[]): Json {
  const name = names.find((each) => Object.hasOwn(variables, each));
  return name === undefined ? null : (variables[name] ?? null);
}

function orchestrationStatus(view: InstanceView, _asked: unknown, now: number): unknown {
  const { businessKey, instanceId, status, collections } = view;
  const sum = (name: "total" | "completed" | "failed" | "running"): number =>
    collections.reduce((all, { counts }) => all + counts[name], 0);
  const total = sum("total");
  const items = collections.flatMap((collection) => collection.items);
  return {
    feature: businessKey ?? instanceId,
    status,
    total_units: total,
    completed: sum("completed"),
    failed: sum("failed"),
    in_progress: sum("running"),
    progress_percent: total === 0 ? null : Math.floor((100 * items.filter(hasEnded).length) / total),
    estimated_completion: estimatedCompletion(view, now),
    unit_details: items.map(({ key, status: standing, attempt, startedAt, endedAt, instanceKey }) => ({
      id: key,
      status: standing,
      attempt,
      started_at: startedAt,
      ended_at: endedAt,
      // Whom to ask further.
      instance: childOf(view, instanceKey),
    })),
  };
}

function hasEnded({ endedAt }: { readonly endedAt: number | null }): boolean {
  return endedAt !== null;
}

function childOf({ elements }: InstanceView, key: number | null): string | null {
  return elements.find((element) => element.key === key)?.childId ?? null;
}

/** Epoch ms; null: nothing is left to be done, or nothing tells how long that takes. */
function estimatedCompletion({ collections }: InstanceView, now: number): number | null {
  const ends = collections.flatMap(({ items, maxParallel, counts }) => {
    const left = items.filter((item) => !hasEnded(item)).length;
    if (left === 0) return [];
    const tookMs = items.flatMap(({ status, startedAt, endedAt }) =>
      status === "completed" && startedAt !== null && endedAt !== null ? [endedAt - startedAt] : [],
    );
    const meanMs = tookMs.reduce((all, each) => all + each, 0) / tookMs.length;
    const abreast = Math.max(1, Math.min(left, maxParallel ?? counts.running));
    return [Math.round(now + meanMs * Math.ceil(left / abreast))];
  });
  return ends.length === 0 || ends.some(Number.isNaN) ? null : Math.max(...ends);
}

function agentDetails(view: InstanceView, asked: unknown): unknown {
  const id = named(asked, "the id of an item or an element");
  const items = view.collections.flatMap((collection) => collection.items.filter(({ key }) => key === id));
  const isMeant = ({ element, item }: { readonly element: string | null; readonly item: string | null }): boolean =>
    element === id || item === id;
  const elements = view.elements.filter(isMeant);
  const waiting = view.waiting.filter(isMeant);
  if (items.length + elements.length + waiting.length === 0) {
    throw refusal("not-found", `Expected an item or an active element, but there is no '${id}'`);
  }
  return { id, items, elements, waiting };
}

function variableHistory(view: InstanceView, asked: unknown): unknown {
  const name = named(asked, "the name of a variable");
  const version = view.variableVersions[name];
  if (version === undefined || !Object.hasOwn(view.variableVersions, name)) {
    throw refusal("not-found", `Expected a variable of the process, but there is no '${name}'`);
  }
  const older = `The log has the older ones: tutti log ${view.instanceId}`;
  return { name, value: view.variables[name] ?? null, ...version, older };
}

/** Of a string, or of an object with `id` or `name`: Temporal's tools send either. */
function named(asked: unknown, what: string): string {
  const { id, name } = typeof asked === "object" && asked !== null ? (asked as { id?: unknown; name?: unknown }) : {};
  const found = id ?? name ?? asked;
  if (typeof found === "string") return found;
  throw refusal("argument-invalid", `Expected ${what} as a string, but got ${JSON.stringify(asked) ?? "nothing"}`);
}
