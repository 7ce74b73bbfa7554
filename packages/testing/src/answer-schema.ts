import { z } from "zod";
import type { Answer, Posting } from "./answers.ts";

export const answersFormat = "tutti-answers/1";

const code = z.string().min(1).max(200);
const duration = z.string().min(1).max(100).meta({ description: "ISO 8601 as PT2H, or short as 2h." });
const values = z.record(z.string(), z.json());

const answer: z.ZodType<Answer> = z
  .strictObject({
    complete: values.optional().meta({ description: "The result; a text that starts with = is CEL over the input." }),
    fail: z
      .union([code, z.strictObject({ code, message: z.string().optional(), retryable: z.boolean().optional() })])
      .optional()
      .meta({ description: "The attempt fails; the job is tried again as the definition says." }),
    throw: z
      .union([code, z.strictObject({ code, message: z.string().optional(), details: values.optional() })])
      .optional()
      .meta({ description: "A BPMN error, for the boundary event that catches its code." }),
    ignore: z.literal(true).optional().meta({ description: "It is never answered." }),
    after: duration.optional(),
    by: z.string().min(1).max(200).optional(),
    when: z.string().min(1).optional().meta({ description: "CEL over the input, itemKey and attempt." }),
  })
  .meta({
    id: "answer",
    description: "One answer: exactly one of complete, fail, throw, ignore.",
  }) as z.ZodType<Answer>;

const posting: z.ZodType<Posting> = z
  .strictObject({
    message: z.string().min(1).max(200).optional(),
    signal: z.string().min(1).max(200).optional(),
    key: z.string().max(200).optional().meta({ description: "Correlation key of a message." }),
    id: z.string().min(1).max(200).optional().meta({ description: "Twice the same id is one message." }),
    ttl: duration.optional().meta({ description: "How long a message is kept for one who waits later." }),
    payload: values.optional(),
    after: duration.optional(),
    on: z.string().min(1).optional().meta({ description: "Element; counted from when it first runs or waits." }),
  })
  .meta({ id: "posting", description: "A message or a signal, and when it comes." }) as z.ZodType<Posting>;

export interface AnswersFile {
  format: typeof answersFormat;
  answers?: Record<string, Answer | Answer[]> | undefined;
  publish?: Posting[] | undefined;
}

export const answersSchema: z.ZodType<AnswersFile> = z
  .strictObject({
    format: z.literal(answersFormat),
    answers: z
      .record(z.string().min(1), z.union([answer, z.array(answer).min(1).max(10_000)]))
      .optional()
      .meta({ description: "By id of the element or type of the job." }),
    publish: z.array(posting).max(10_000).optional().meta({ description: "Messages and signals from outside." }),
  })
  .meta({ id: "answers", title: "Tutti answers" });

/** The JSON Schema for editors. */
export function answersJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(answersSchema, { target: "draft-2020-12", io: "input", unrepresentable: "any" });
  return { ...schema, $comment: "Generated from src/answer-schema.ts: npm run schema -w packages/testing." };
}
