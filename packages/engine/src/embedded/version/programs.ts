import { hash } from "node:crypto";
import {
  AppError,
  type Host,
  loadProgram,
  must,
  type Program,
  type ProgramDocument,
  type Routing,
  type StartTrigger,
  versionFor,
} from "@tutti/kernel";
import type { Deployment, MovedInstance } from "../../port.ts";
import type { StoredRollout } from "../message/coordination.ts";
import type { Change, StoredDeployment } from "../store.ts";

export interface Named {
  readonly hash: string;
  readonly deployment: string;
}

/** A version of a process, and the start event in it that something from outside triggers. */
export interface Starter {
  readonly named: Named;
  readonly place: { readonly element: string; readonly trigger?: number };
}

/** What triggers a start: a message or signal by its name, a timer by where it stands. */
export type StartCause =
  | { readonly kind: "message" | "signal"; readonly name: string }
  | { readonly kind: "timer"; readonly element: string; readonly trigger?: number };

/** A call of a process, by an instance of a deployment. */
interface CallOf {
  readonly process: string;
  readonly binding: "deployment" | "latest" | { readonly version: string };
  readonly deployment: string;
  readonly routing: Routing;
  /** It undoes what an instance of this very program did. */
  readonly undoneHash?: string;
}

/**
 * The number of a deployment that came along with an instance: it binds the calls of that one, and nothing new begins
 * with what is in it.
 */
export const broughtAlong = 0;

/** What a log gets so that it has the deployments of an instance that comes to it. */
export function bringing(
  { deployment, undoing, programs }: MovedInstance,
  deployed: Pick<Programs, "has">,
): readonly Extract<Change, { readonly type: "deployment-put" }>[] {
  const lacking = [deployment, ...undoing].filter(({ id }) => !deployed.has(id));
  return lacking.map((each) => ({
    ...{ type: "deployment-put", deployment: each, number: broughtAlong, starts: {} },
    documents: programs,
  }));
}

type ByVersion = Map<string, Named>;

/** What is deployed, and the programs that were needed so far, ready to run. */
export class Programs {
  readonly #host: Host;
  readonly #loaded: Map<string, Program> = new Map();
  readonly #deployments: Map<string, Deployment> = new Map();
  readonly #latest: Map<string, Named> = new Map();
  readonly #versions: Map<string, ByVersion> = new Map();
  /** What begins a program from outside, by its hash. */
  readonly #triggers: Map<string, readonly StartTrigger[]> = new Map();
  /** Processes that a message or signal may begin, by its kind and name. */
  #startedBy: Map<string, string[]> = new Map();
  readonly #rollouts: Map<string, StoredRollout> = new Map();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Deployments in the order in which they were made; the last one of a process is its `latest`. */
  add({ deployment, number, starts }: StoredDeployment): void {
    this.#deployments.set(deployment.id, deployment);
    if (number === broughtAlong) return;
    for (const { process, version, hash } of deployment.programs) {
      const named = { hash, deployment: deployment.id };
      this.#latest.set(process, named);
      let versions = this.#versions.get(process);
      if (versions === undefined) {
        versions = new Map();
        this.#versions.set(process, versions);
      }
      versions.set(version, named);
      this.#triggers.set(hash, starts[hash] ?? []);
    }
    this.#indexStarts();
  }

  has(deployment: string): boolean {
    return this.#deployments.has(deployment);
  }

  /** There are few processes that begin so, and deployments are rare. */
  #indexStarts(): void {
    this.#startedBy = new Map();
    for (const process of this.#latest.keys()) {
      const triggers = this.#candidates(process).flatMap(({ hash }) => this.#triggers.get(hash) ?? []);
      const names = triggers.flatMap((each) => (each.kind === "timer" ? [] : [`${each.kind} ${each.name}`]));
      for (const name of new Set(names)) this.#startedBy.set(name, [...(this.#startedBy.get(name) ?? []), process]);
    }
  }

  /** The versions that a new instance may get: both of a rollout, else the latest. */
  #candidates(process: string): readonly Named[] {
    const plan = this.#rollouts.get(process)?.plan;
    const names =
      plan === undefined
        ? [this.latest(process)]
        : [this.version(process, plan.stable), this.version(process, plan.candidate)];
    return names.filter((each) => each !== undefined);
  }

  startedBy(kind: "message" | "signal", name: string): readonly string[] {
    return this.#startedBy.get(`${kind} ${name}`) ?? [];
  }

  /** The messages that a new instance of a process may begin with. */
  messagesOf(process: string): readonly string[] {
    const triggers = this.#candidates(process).flatMap(({ hash }) => this.#triggers.get(hash) ?? []);
    return [...new Set(triggers.flatMap((each) => (each.kind === "message" ? [each.name] : [])))];
  }

  get processes(): Iterable<string> {
    return this.#latest.keys();
  }

  /** The version that a cause starts: the one that a new instance gets, if that begins with it. */
  starter(process: string, cause: StartCause, routing: Routing): Starter | undefined {
    const named = this.chosen(process, routing);
    const trigger = this.#triggers.get(named?.hash ?? "")?.find((each) => isCause(each, cause));
    return named === undefined || trigger === undefined ? undefined : { named, place: placeOf(trigger) };
  }

  get rollouts(): number {
    return this.#rollouts.size;
  }

  rollout(process: string): StoredRollout | undefined {
    return this.#rollouts.get(process);
  }

  setRollout(process: string, rollout: StoredRollout | undefined): void {
    const before = this.#rollouts.get(process);
    if (rollout === undefined) this.#rollouts.delete(process);
    else this.#rollouts.set(process, rollout);
    // What is counted changes all the time, and begins nothing.
    if (before?.plan !== rollout?.plan) this.#indexStarts();
  }

  resetRollouts(rollouts: readonly StoredRollout[]): void {
    this.#rollouts.clear();
    for (const each of rollouts) this.#rollouts.set(each.process, each);
    this.#indexStarts();
  }

  /** The version for a new instance that names none. */
  chosen(process: string, routing: Routing): Named | undefined {
    const rollout = this.#rollouts.get(process);
    if (rollout === undefined) return this.latest(process);
    return this.version(process, versionFor(rollout, routing, this.#host));
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
  bound(process: string, deployment: string, routing: Routing): Named | undefined {
    const together = this.#deployments.get(deployment)?.programs.find((each) => each.process === process);
    return together === undefined ? this.chosen(process, routing) : { hash: together.hash, deployment };
  }

  /** What a call starts. */
  called({ process, binding, deployment, routing, undoneHash }: CallOf): Named | undefined {
    if (undoneHash !== undefined) return this.#withHash(undoneHash, deployment);
    if (binding === "deployment") return this.bound(process, deployment, routing);
    return binding === "latest" ? this.chosen(process, routing) : this.version(process, binding.version);
  }

  #withHash(wanted: string, deployment: string): Named | undefined {
    const found = deploymentWith(wanted, this.#deployments.get(deployment), [...this.#deployments.values()]);
    return found === undefined ? undefined : { hash: wanted, deployment: found.id };
  }

  versionOf({ hash, deployment }: Named): string {
    const deployed = this.#deployments.get(deployment)?.programs.find((each) => each.hash === hash);
    return must(deployed, `'${deployment}' has no program '${hash}'`).version;
  }

  named(process: string, version: string): Named {
    const found = this.version(process, version);
    if (found === undefined) throw programNotFound(process, version);
    return found;
  }
}

/** The caller's, where that has the program, else the newest that does; `all` has the newest last. */
export function deploymentWith(
  hash: string,
  callers: Deployment | undefined,
  all: readonly Deployment[],
): Deployment | undefined {
  const has = (each: Deployment | undefined): boolean => each?.programs.some((one) => one.hash === hash) === true;
  return has(callers) ? callers : all.findLast(has);
}

function placeOf({ element, trigger }: StartTrigger): Starter["place"] {
  return trigger === undefined ? { element } : { element, trigger };
}

function isCause(trigger: StartTrigger, cause: StartCause): boolean {
  if (trigger.kind !== cause.kind) return false;
  if (cause.kind === "timer") return trigger.element === cause.element && trigger.trigger === cause.trigger;
  return trigger.kind !== "timer" && trigger.name === cause.name;
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
