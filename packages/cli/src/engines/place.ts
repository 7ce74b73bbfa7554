import { createHash } from "node:crypto";
import { usualAddress } from "../up/ports.ts";

/** What conducts the instances. */
export const engineNames = ["embedded", "temporal"] as const;
export type EngineName = (typeof engineNames)[number];

/** Where a Temporal is and which part of it is ours; what nobody said is absent. */
export interface TemporalPlace {
  /** `host:port`. */
  readonly address?: string;
  readonly namespace?: string;
  /** Workflows are worked on there, jobs on `<it>-<class>`. */
  readonly taskQueue?: string;
}

/** The same, with what holds where nobody said anything. */
export function wholePlace(
  place: TemporalPlace | undefined,
  state: { readonly path: string; readonly store?: string },
): Required<TemporalPlace> {
  const { address = usualAddress, namespace = "default", taskQueue = usualQueue(state) } = place ?? {};
  return { address, namespace, taskQueue };
}

/**
 * Who works on a queue writes what happens there into its own log. So those that have a log in common share a queue, and
 * a log that lies in a folder has one that nobody else comes upon.
 */
function usualQueue({ path, store }: { readonly path: string; readonly store?: string }): string {
  return store === undefined ? `tutti-${createHash("sha256").update(path).digest("hex").slice(0, 8)}` : "tutti";
}
