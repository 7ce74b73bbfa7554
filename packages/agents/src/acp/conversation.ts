import { z } from "zod";
import type { AgentContext, AgentUsage } from "../agent.ts";
import { LineSplitter, plainText } from "../process/text.ts";

/** Agents add fields and kinds of updates freely; what we do not know is written to the transcript and passed by. */
const update: z.ZodType<SessionUpdate> = z.looseObject({
  sessionUpdate: z.string(),
  content: z.unknown().optional(),
  title: z.string().nullish(),
  kind: z.string().nullish(),
  status: z.string().nullish(),
  used: z.number().nullish(),
  size: z.number().nullish(),
  cost: z.looseObject({ amount: z.number(), currency: z.string() }).nullish(),
});

const sessionNotification = z.looseObject({ update });
interface SessionUpdate {
  readonly sessionUpdate: string;
  readonly content?: unknown;
  readonly title?: string | null | undefined;
  readonly kind?: string | null | undefined;
  readonly status?: string | null | undefined;
  readonly used?: number | null | undefined;
  readonly size?: number | null | undefined;
  readonly cost?: { readonly amount: number; readonly currency: string } | null | undefined;
}

const tokens = z.looseObject({ inputTokens: z.number().nonnegative(), outputTokens: z.number().nonnegative() });

const textCharactersMax = 1_000_000;

/** What an agent says during one prompt: gathers its text and usage, and shows progress as it comes. */
export class Conversation {
  readonly #context: AgentContext;
  readonly #lines: LineSplitter;
  #text = "";
  #toolCalls = 0;
  #lastTextFrom = 0;
  #usage: AgentUsage | undefined;
  #costUsd: number | null = null;

  constructor(context: AgentContext) {
    this.#context = context;
    this.#lines = new LineSplitter((line) => {
      if (line.trim() !== "") context.progress({ type: "message", text: plainText(line) });
    });
  }

  /** Takes the parameters of one `session/update`, whatever they are. */
  take(params: unknown): void {
    const parsed = sessionNotification.safeParse(params);
    if (!parsed.success) return;
    const { update: each } = parsed.data;
    if (each.sessionUpdate === "agent_message_chunk") this.#say(textOf(each.content));
    else if (each.sessionUpdate === "tool_call" || each.sessionUpdate === "tool_call_update") this.#tool(each);
    else if (each.sessionUpdate === "usage_update") this.#used(each);
  }

  /** Token counts as some agents put them into the answer of a prompt. */
  takeUsage(value: unknown): void {
    const parsed = tokens.safeParse(value);
    if (!parsed.success) return;
    const { inputTokens, outputTokens } = parsed.data;
    this.#usage = { inputTokens, outputTokens, costUsd: this.#costUsd };
    this.#context.progress({ type: "usage", ...this.#usage });
  }

  end(): void {
    this.#lines.end();
  }

  /** It neither said nor did anything. */
  get empty(): boolean {
    return this.#toolCalls === 0 && this.#text.trim() === "";
  }

  /** Everything it said. */
  get text(): string {
    return this.#text;
  }

  /** What it said after its last tool call: its conclusion. */
  get conclusion(): string {
    const last = this.#text.slice(this.#lastTextFrom).trim();
    return last === "" ? this.#text.trim() : last;
  }

  get usage(): AgentUsage | undefined {
    return this.#usage === undefined ? undefined : { ...this.#usage, costUsd: this.#costUsd };
  }

  #say(text: string): void {
    if (this.#text.length < textCharactersMax) this.#text += text;
    this.#lines.push(text);
  }

  #tool(each: SessionUpdate): void {
    this.#lines.end();
    this.#toolCalls += 1;
    this.#lastTextFrom = this.#text.length;
    // Updates that only carry more output say nothing new.
    if (each.sessionUpdate === "tool_call_update" && each.status == null) return;
    this.#context.progress({
      type: "tool",
      name: plainText(each.kind ?? "tool", 100),
      status: plainText(each.status ?? "pending", 100),
      text: plainText(each.title ?? "", 500),
    });
  }

  #used(each: SessionUpdate): void {
    if (each.cost?.currency === "USD") this.#costUsd = each.cost.amount;
    // Tokens in the context are not tokens spent, so this is told, not counted.
    if (each.used != null && each.size != null) {
      this.#context.progress({ type: "note", text: `context: ${each.used} of ${each.size} tokens` });
    }
  }
}

function textOf(content: unknown): string {
  const block = content as { type?: unknown; text?: unknown } | null;
  return block?.type === "text" && typeof block.text === "string" ? block.text : "";
}
