import { z } from "zod";
import {
  expression,
  id,
  key,
  mapping,
  message,
  type NativeMapping,
  type NativeThrown,
  type NativeTimer,
  sending,
  thrown,
  timerFields,
  type Value,
  value,
  variablePattern,
} from "./native-part.ts";

/** What a step can wait for: exactly one of a timer's keys, `message`, `signal`, `when`, `any` and `all`. */
export interface NativeWait extends NativeTimer {
  message?: Value | undefined;
  key?: Value | undefined;
  signal?: Value | undefined;
  when?: string | undefined;
  variables?: string[] | undefined;
  any?: NativeWait[] | undefined;
  all?: NativeWait[] | undefined;
}

/** What an event at an activity's boundary, or the start of an event sub-process, catches besides. */
export interface NativeCatch extends NativeWait {
  error?: true | string | undefined;
  escalation?: true | string | undefined;
  compensation?: true | undefined;
  cancel?: true | undefined;
}

const waitFields = {
  ...timerFields,
  message: message.optional(),
  key: key.optional(),
  signal: value.optional().meta({ description: "Name of a signal, which everybody hears who waits for it." }),
  when: expression.optional().meta({ description: "A condition, each time it comes to hold." }),
  variables: z
    .array(z.string().regex(variablePattern))
    .optional()
    .meta({ description: "With when: only changes of these count." }),
};

const waitObject: z.ZodType<NativeWait> = z
  .strictObject({
    ...waitFields,
    get any(): z.ZodType<NativeWait[] | undefined> {
      return z.array(z.lazy(() => waitObject)).optional();
    },
    get all(): z.ZodType<NativeWait[] | undefined> {
      return z.array(z.lazy(() => waitObject)).optional();
    },
  })
  .meta({ id: "event", description: "Exactly one of after, at, every, cron, message, signal, when, any, all." });

const catchFields = {
  ...waitFields,
  any: z.array(waitObject).min(2).optional().meta({ description: "The first of several." }),
  all: z.array(waitObject).min(2).optional().meta({ description: "Once all of them happened." }),
  error: z
    .union([z.literal(true), z.string().min(1)])
    .optional()
    .meta({ description: "An error code; true: every error." }),
  escalation: z
    .union([z.literal(true), z.string().min(1)])
    .optional()
    .meta({ description: "An escalation code; true: every escalation." }),
  compensation: z.literal(true).optional(),
  cancel: z.literal(true).optional().meta({ description: "Of a transaction." }),
};

export const wait: z.ZodType<string | NativeWait> = z
  .union([z.string(), waitObject])
  .meta({ id: "wait", description: "A timer as text, or an event." });

export type NativeBoundary = NativeCatch & {
  then: string;
  interrupting?: boolean | undefined;
  out?: NativeMapping | undefined;
};
export const boundary: z.ZodType<NativeBoundary> = z.strictObject({
  ...catchFields,
  then: id,
  interrupting: z.boolean().optional(),
  out: mapping.optional(),
});

export const upon: z.ZodType<NativeCatch> = z
  .strictObject(catchFields)
  .meta({ id: "upon", description: "What starts an event sub-process: exactly one event." });

export type NativeStart = NativeWait & { then: string; out?: NativeMapping | undefined };
export const start: z.ZodType<NativeStart> = z.strictObject({
  ...waitFields,
  any: z.array(waitObject).min(2).optional(),
  all: z.array(waitObject).min(2).optional(),
  then: id,
  out: mapping.optional(),
});

export interface NativeReceive {
  message: Value;
  key?: Value | undefined;
}
export const receive: z.ZodType<string | NativeReceive> = z.union([
  z.string(),
  z.strictObject({ message, key: key.optional() }),
]);

export interface NativeSend {
  message?: Value | undefined;
  key?: Value | undefined;
  ttl?: string | undefined;
  job?: string | undefined;
  with?: NativeMapping | undefined;
}
export const send: z.ZodType<string | NativeSend> = z.union([z.string(), z.strictObject(sending)]);

export type NativeEmit = NativeThrown | NativeThrown[];
export const emit: z.ZodType<NativeEmit> = z
  .union([thrown, z.array(thrown).min(2)])
  .meta({ id: "emit", description: "What an event throws; several in order." });
