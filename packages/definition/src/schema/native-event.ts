import { z } from "zod";
import {
  duration,
  expression,
  id,
  mapping,
  type NativeMapping,
  type NativeTimer,
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

/** What an event throws: exactly one of `message`, `signal`, `escalation`, `error` and `compensate`. */
export interface NativeThrown {
  message?: Value | undefined;
  key?: Value | undefined;
  ttl?: string | undefined;
  job?: string | undefined;
  signal?: Value | undefined;
  escalation?: string | undefined;
  error?: string | undefined;
  compensate?: true | string | undefined;
  with?: NativeMapping | undefined;
}

const message = value.meta({ description: "Name of a message." });
const key = value.meta({ description: "Of the message: which of those that wait for it is meant." });
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

const sending = {
  message: message.optional(),
  key: key.optional(),
  ttl: duration.optional().meta({ description: "How long a message waits for somebody who waits for it." }),
  job: z.string().min(1).optional().meta({ description: "A worker sends it." }),
  with: mapping.optional().meta({ description: "What is sent." }),
};
export interface NativeSend {
  message?: Value | undefined;
  key?: Value | undefined;
  ttl?: string | undefined;
  job?: string | undefined;
  with?: NativeMapping | undefined;
}
export const send: z.ZodType<string | NativeSend> = z.union([z.string(), z.strictObject(sending)]);

const thrown: z.ZodType<NativeThrown> = z
  .strictObject({
    ...sending,
    signal: value.optional(),
    escalation: z.string().min(1).optional(),
    error: z.string().min(1).optional(),
    compensate: z.union([z.literal(true), id]).optional(),
  })
  .meta({ id: "thrown", description: "Exactly one of message, signal, escalation, error, compensate." });

export type NativeEmit = NativeThrown | NativeThrown[];
export const emit: z.ZodType<NativeEmit> = z
  .union([thrown, z.array(thrown).min(2)])
  .meta({ id: "emit", description: "What an event throws; several in order." });
