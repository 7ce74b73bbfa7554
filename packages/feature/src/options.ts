import { z } from "zod";
import type { RunOptions } from "./model.ts";

const minuteMs = 60_000;

const schema = z.strictObject({
  agent: z.string().min(1).max(500).default("scripted"),
  script: z.string().min(1).optional(),
  maxParallel: z.int().min(1).max(1_000).default(5),
  attempts: z.int().min(1).max(50).default(5),
  rounds: z.int().min(1).max(10).default(3),
  repairs: z.int().min(0).max(20).default(3),
  threshold: z.number().min(0).max(1).default(0.8),
  partial: z.enum(["wait", "accept"]).default("wait"),
  approve: z.boolean().default(false),
  branch: z.string().min(1).max(200).optional(),
  sandbox: z.enum(["auto", "bubblewrap", "none"]).default("auto"),
  network: z.enum(["none", "host"]).default("none"),
  environment: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))
    .max(50)
    .default([]),
  agentTimeoutMs: z
    .int()
    .min(1_000)
    .max(24 * 60 * minuteMs)
    .default(15 * minuteMs),
  agentSilenceMs: z
    .int()
    .min(1_000)
    .max(60 * minuteMs)
    .default(2 * minuteMs),
  checkTimeoutMs: z
    .int()
    .min(1_000)
    .max(24 * 60 * minuteMs)
    .default(10 * minuteMs),
});

/** What the person said; the rest has defaults. */
export type RunOptionsInput = Partial<RunOptions>;

/** Fills in the defaults. Throws a ZodError that names what does not fit. */
export function runOptions(given: RunOptionsInput): RunOptions {
  const { script, branch, ...options } = schema.parse(given);
  return { ...options, ...(script === undefined ? {} : { script }), ...(branch === undefined ? {} : { branch }) };
}
