import { hash } from "node:crypto";
import {
  type Client,
  isGrpcServiceError,
  WithStartWorkflowOperation,
  type Workflow,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import { AppError } from "@tutti/kernel";
import { channelId } from "../embedded/message/coordination.ts";
import { attributesOf } from "./attributes.ts";
import { notDone } from "./connection.ts";
import { type Began, names, type ProcessInput } from "./contract.ts";
import {
  askAgain,
  type BrokerInput,
  type BrokerName,
  type BrokerTask,
  brokerNames,
  brokerTaskQueue,
  type Parcel,
  type ParcelAnswer,
} from "./message/contract.ts";

interface CourierOptions {
  readonly client: Client;
  readonly taskQueue: string;
  readonly workflowTaskTimeoutMs: number;
  /** Nothing that payloads say is to be told beside them. */
  readonly isSecret: boolean;
  /** Nothing takes payloads that are too large for the server elsewhere. */
  readonly isLimited: boolean;
}

/** What an execution is called and listed by. */
interface ProcessName {
  readonly process: string;
  readonly version: string;
}

/**
 * For how long, and how soon again, something is asked of an execution that ends or goes on in a new one meanwhile, or
 * whose task was lost: the server takes nothing for it until it was tried again.
 */
export const askMsMax = 20_000;
const askAgainMs = 100;
/** gRPC: NOT_FOUND, RESOURCE_EXHAUSTED, FAILED_PRECONDITION and ABORTED. */
const passing: ReadonlySet<number> = new Set([5, 8, 9, 10]);

/** The types of brokers are no ids of processes. */
const brokerTypes = { message: "messages of a channel", signal: "signals of a name" } as const;
const brokerPrefix = "tutti broker";

/** Brings what is said to executions, and their answers back. */
export class Courier {
  readonly #options: CourierOptions;
  readonly #closing: PromiseWithResolvers<never> = Promise.withResolvers();

  /** Whether the server has our search attributes. */
  hasAttributes = false;

  constructor(options: CourierOptions) {
    this.#options = options;
    this.#closing.promise.catch(() => undefined);
  }

  /** Whoever waits for an answer is told that there will be none. */
  close(): void {
    this.#closing.reject(new AppError("engine-closed", "Expected an open engine, but it was closed."));
  }

  /** Null: the id was given to an execution that has ended since, unless the instance `isBack` from another engine. */
  async begin(
    named: ProcessName,
    started: ProcessInput,
    { isBack = false }: { readonly isBack?: boolean } = {},
  ): Promise<Began | null> {
    const { taskQueue, workflowTaskTimeoutMs: workflowTaskTimeout, isSecret, isLimited } = this.#options;
    const { process } = named;
    const input: ProcessInput = {
      ...started,
      ...(isSecret ? { secret: true } : {}),
      ...(isLimited ? { limited: true } : {}),
    };
    const startOptions = {
      workflowId: input.create.instanceId,
      args: [input],
      taskQueue,
      workflowTaskTimeout,
      ...this.#attributesOf(named, input),
      workflowIdConflictPolicy: "USE_EXISTING",
      // What could not begin has failed, and may be tried again under its id.
      workflowIdReusePolicy: isBack ? "ALLOW_DUPLICATE" : "ALLOW_DUPLICATE_FAILED_ONLY",
    } as const;
    const args: [string | null] = [input.requestId];
    try {
      return await this.#untilTaken(() => {
        const startWorkflowOperation = new WithStartWorkflowOperation(process, startOptions);
        const options = { args, startWorkflowOperation };
        return this.#workflow.executeUpdateWithStart<Workflow, Began, [string | null]>(names.begin, options);
      });
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
      throw error;
    }
  }

  #attributesOf({ version }: ProcessName, { create, secret }: ProcessInput) {
    if (!this.hasAttributes) return {};
    const { rootId, businessKey } = create;
    // Payloads are encrypted, attributes never.
    const key = secret === true || businessKey === undefined ? {} : { businessKey };
    return { typedSearchAttributes: attributesOf({ version, rootId, ...key }) };
  }

  /** Null: no execution answers. */
  async deliver(instanceId: string, parcel: Parcel): Promise<ParcelAnswer | null> {
    const handle = this.#workflow.getHandle(instanceId);
    const asked = handle.executeUpdate<ParcelAnswer, [Parcel]>(brokerNames.deliver, { args: [parcel] });
    try {
      return await this.answered(asked);
    } catch (error) {
      if (isGone(error)) return null;
      throw notDone(error);
    }
  }

  /** Durable when it resolves. */
  async post(broker: BrokerName, task: BrokerTask): Promise<void> {
    try {
      await this.#workflow.signalWithStart<(input: BrokerInput) => Promise<unknown>, [BrokerTask]>(
        brokerTypes[broker.kind],
        { ...this.#startOf(broker), signal: brokerNames.post, signalArgs: [task] },
      );
    } catch (error) {
      throw notDone(error);
    }
  }

  /** Asks a broker, and begins it if there is none. Its answers are durable. */
  async ask<Answer, Asked>(broker: BrokerName, name: "publish" | "broadcast", asked: Asked): Promise<Answer> {
    return this.#untilTaken(() => {
      const startWorkflowOperation = new WithStartWorkflowOperation<(input: BrokerInput) => Promise<unknown>>(
        brokerTypes[broker.kind],
        { ...this.#startOf(broker), workflowIdConflictPolicy: "USE_EXISTING" },
      );
      const options = { args: [asked] as [Asked], startWorkflowOperation };
      return this.#workflow.executeUpdateWithStart<Workflow, Answer, [Asked]>(name, options);
    });
  }

  /** Asks again what was not done, and another execution, or the same one later, may do. */
  async #untilTaken<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (const until = Date.now() + askMsMax; ; ) {
      try {
        return await this.answered(ask());
      } catch (error) {
        if (Date.now() > until || !isPassing(error)) throw notDone(error);
      }
      await this.answered(new Promise((resolve) => setTimeout(resolve, askAgainMs)));
    }
  }

  #startOf(broker: BrokerName) {
    const { taskQueue, workflowTaskTimeoutMs: workflowTaskTimeout } = this.#options;
    const input: BrokerInput = { broker };
    return {
      workflowId: brokerId(broker),
      args: [input] as [BrokerInput],
      taskQueue: brokerTaskQueue(taskQueue),
      workflowTaskTimeout,
      staticSummary: summaryOf(broker),
    };
  }

  /** The same, or `engine-closed` as soon as nobody is going to bring it. */
  answered<T>(answer: Promise<T>): Promise<T> {
    return Promise.race([answer, this.#closing.promise]);
  }

  get #workflow(): Client["workflow"] {
    return this.#options.client.workflow;
  }
}

/** The workflow id of a broker. Names and keys are of any length, ids are not. */
export function brokerId(broker: BrokerName): string {
  const named = channelId({
    name: broker.name,
    correlationKey: broker.kind === "message" ? broker.correlationKey : null,
  });
  return `${brokerPrefix} ${broker.kind} ${hash("sha256", named, "hex").slice(0, 32)}`;
}

export function isBrokerId(instanceId: string): boolean {
  return instanceId.startsWith(`${brokerPrefix} `);
}

const summaryCharsMax = 150;

function summaryOf(broker: BrokerName): string {
  const key = broker.kind === "message" && broker.correlationKey !== null ? ` for ${broker.correlationKey}` : "";
  return `${broker.kind} ${broker.name}${key}`.slice(0, summaryCharsMax).toWellFormed();
}

/** There is no execution that could answer, or it ended while it was asked. */
export function isGone(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError;
}

/** It was not done, and another execution, or the same one later, may do it. */
export function isPassing(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError) return true;
  if (!(error instanceof WorkflowUpdateFailedError)) return passing.has(codeOf(error));
  const { cause } = error;
  return (
    cause instanceof ApplicationFailure && (cause.type === askAgain || cause.type === "AcceptedUpdateCompletedWorkflow")
  );
}

/** Of the answer of the server that is behind an error of its client; 0: there was none. */
function codeOf(error: unknown): number {
  for (let found = error; found instanceof Error; found = found.cause) if (isGrpcServiceError(found)) return found.code;
  return 0;
}
