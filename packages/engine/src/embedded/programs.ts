import { hash } from "node:crypto";
import { AppError, type Host, loadProgram, type Program, type ProgramDocument } from "@tutti/kernel";
import type { Deployment } from "../port.ts";
import type { StoredDeployment } from "./store.ts";

export interface Named {
  readonly hash: string;
  readonly deployment: string;
}

type ByVersion = Map<string, Named>;

/** What is deployed, and the programs that were needed so far, ready to run. */
export class Programs {
  readonly #host: Host;
  readonly #loaded: Map<string, Program> = new Map();
  readonly #deployments: Map<string, Deployment> = new Map();
  readonly #latest: Map<string, Named> = new Map();
  readonly #versions: Map<string, ByVersion> = new Map();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Deployments in the order in which they were made; the last one of a process is its `latest`. */
  add({ deployment }: Pick<StoredDeployment, "deployment">): void {
    this.#deployments.set(deployment.id, deployment);
    for (const { process, version, hash } of deployment.programs) {
      const named = { hash, deployment: deployment.id };
      this.#latest.set(process, named);
      let versions = this.#versions.get(process);
      if (versions === undefined) {
        versions = new Map();
        this.#versions.set(process, versions);
      }
      versions.set(version, named);
    }
  }

  /** Throws `program-invalid` when a document is not a program. */
  load(document: ProgramDocument): Program {
    let program = this.#loaded.get(document.hash);
    if (program === undefined) {
      program = loadProgram(document, this.#host);
      this.#loaded.set(document.hash, program);
    }
    return program;
  }

  loaded(hash: string): Program | undefined {
    return this.#loaded.get(hash);
  }

  latest(process: string): Named | undefined {
    return this.#latest.get(process);
  }

  version(process: string, version: string): Named | undefined {
    return this.#versions.get(process)?.get(version);
  }

  /** What was deployed together with the caller, or else the latest: a library deployed on its own still resolves. */
  bound(process: string, deployment: string): Named | undefined {
    const together = this.#deployments.get(deployment)?.programs.find((each) => each.process === process);
    return together === undefined ? this.latest(process) : { hash: together.hash, deployment };
  }

  named(process: string, version: string | undefined): Named {
    const found = version === undefined ? this.latest(process) : this.version(process, version);
    if (found === undefined) throw programNotFound(process, version);
    return found;
  }
}

export function programNotFound(process: string, version: string | undefined): AppError {
  const which = version === undefined ? `'${process}'` : `'${process}' in version '${version}'`;
  return new AppError("program-not-found", `Expected a deployed process ${which}, but there is none.`);
}

/** Named by its content, so deploying the same again gives the same. */
export function deploymentOf(documents: readonly ProgramDocument[]): Deployment {
  const programs = documents.map(({ id, version, hash }) => ({ process: id, version, hash }));
  const content = programs
    .map((each) => `${each.process}\n${each.version}\n${each.hash}`)
    .sort()
    .join("\n");
  return { id: `deployment-${hash("sha256", content, "hex").slice(0, 16)}`, programs };
}
