import type { InstanceView } from "@tutti/kernel";

type Question = (view: InstanceView) => unknown;

/** What may be asked of a running instance, by Temporal's own tools too. */
export const questions: { readonly [name: string]: Question } = {
  /** Everything about it. */
  current_state: (view) => view,
  /** How it stands, and what it waits for. */
  get_status: ({ status, waiting, incidents }) => ({ status, waiting, incidents: incidents.length }),
  /** How far its collections have come. */
  progress: ({ collections }) => collections.map(({ element, counts }) => ({ element, ...counts })),
  /** What went wrong and waits for a person. */
  failure_summary: ({ incidents }) => incidents,
};
