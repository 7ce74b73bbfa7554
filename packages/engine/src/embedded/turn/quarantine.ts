import { AppError } from "@tutti/kernel";
import type { InstanceNumber, InstanceRecord } from "../store.ts";

/** Instances in which an invariant broke, each with what is said to whoever asks for it. */
export class Quarantine {
  readonly #all: Map<InstanceNumber, { readonly record: InstanceRecord; readonly error: AppError }> = new Map();

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  has(number: InstanceNumber): boolean {
    return this.#all.has(number);
  }

  add(record: InstanceRecord, cause: unknown): AppError {
    const { number, instanceId } = record;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Expected '${instanceId}' to go on, but an invariant of Tutti broke in it: ${reason}.`;
    const error = new AppError("instance-quarantined", message, { cause });
    this.#all.set(number, { record, error });
    return error;
  }

  refusal(instanceId: string | undefined, number: InstanceNumber | undefined): AppError | undefined {
    for (const [each, { record, error }] of this.#all) {
      if (each === number || record.instanceId === instanceId) return error;
    }
    return undefined;
  }

  record(instanceId: string): InstanceRecord | undefined {
    for (const { record } of this.#all.values()) if (record.instanceId === instanceId) return record;
    return undefined;
  }
}
