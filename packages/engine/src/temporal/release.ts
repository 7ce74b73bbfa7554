import { setTimeout as sleep } from "node:timers/promises";
import { type Client, isGrpcServiceError } from "@temporalio/client";
import type { WorkerOptions } from "@temporalio/worker";
import { AppError } from "@tutti/kernel";
import { notDone } from "./connection.ts";

/**
 * The release that the workflows of a worker are of (Temporal: the build id of its deployment version). An instance stays
 * with the workers of the release that it began under to its end, with all that it calls.
 */
export interface Release {
  /** What one release is told from another by. */
  readonly name: string;
  /** From now on instances begin under this one. */
  readonly current: boolean;
}

/** The server hears of a release when its first worker asks for work. */
const heardWithinMs = 30_000;
const asksEveryMs = 250;
/** gRPC: NOT_FOUND and FAILED_PRECONDITION. */
const notYet: ReadonlySet<number> = new Set([5, 9]);

/** Of a worker of workflows. */
export function versioningOf(release: Release | undefined, taskQueue: string): Partial<WorkerOptions> {
  if (release === undefined) return {};
  const version = { deploymentName: taskQueue, buildId: release.name };
  return {
    workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: "PINNED" },
  };
}

/** Resolves once new instances begin under it. Rejects with AppError `release-unknown`. */
export async function makeCurrent({ workflow }: Client, deploymentName: string, buildId: string): Promise<void> {
  const { namespace, identity } = workflow.options;
  const version = `${deploymentName}.${buildId}`;
  const asked = { namespace, identity, deploymentName, buildId, version, ignoreMissingTaskQueues: true };
  for (const until = Date.now() + heardWithinMs; ; ) {
    try {
      await workflow.workflowService.setWorkerDeploymentCurrentVersion(asked);
      return;
    } catch (error) {
      if (!isGrpcServiceError(error) || !notYet.has(error.code)) throw notDone(error);
      if (Date.now() < until) await sleep(asksEveryMs);
      else {
        const message = `Expected the server to know the release '${buildId}' of its worker, but: ${error.details}.`;
        throw new AppError("release-unknown", message, { cause: error });
      }
    }
  }
}
