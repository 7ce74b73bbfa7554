import { queueClasses } from "@tutti/kernel";
import type { InstanceCommand } from "../port.ts";
import { actor, likelyCommand, reason } from "./command.ts";
import type { Shadow } from "./ledger.ts";
import { signalName } from "./post.ts";
import type { Random } from "./random.ts";
import type { Session } from "./session.ts";
import { jobTypes } from "./world.ts";

/** Does something to the world, and says what. */
type Action = (session: Session, random: Random) => string | Promise<string>;

const start: Action = (session, random) => {
  const requestId = `r${session.requests.size + 1}`;
  const process = random.weighted([
    [6, "main"],
    [2, "child"],
    [1, "leaf"],
  ]);
  session.start(requestId, { process, variables: random.chance(0.5) ? {} : { flag: random.chance(0.5) } });
  return `start ${process} as ${requestId}`;
};

const startAgain: Action = (session, random) => {
  const known = [...session.requests.keys()];
  if (known.length === 0) return start(session, random);
  const requestId = random.pick(known);
  session.start(requestId, { process: random.pick(["main", "child"]), variables: {} });
  return `start ${requestId} again`;
};

const publish: Action = (session, random) => {
  const { engine, ledger } = session;
  if (engine === undefined) return "nothing";
  const message = ledger.post.next(random);
  session.ask(`publish ${message.id}`, engine.publish(message), (answer) => {
    session.count(answer.duplicate ? "messages again" : "messages");
    if (answer.instances.length > 0) session.count("messages given");
    if (answer.instances.some((each) => each.started)) session.count("messages that started");
    ledger.post.answered(message, answer);
  });
  return `publish ${JSON.stringify(message)}`;
};

const broadcast: Action = (session, random) => {
  const { engine } = session;
  if (engine === undefined) return "nothing";
  const id = random.chance(0.3) ? { id: `s${random.below(4)}` } : {};
  session.ask("broadcast", engine.broadcast({ name: signalName, ...id, variables: { flag: true } }), () => {
    session.count("signals");
  });
  return `broadcast ${JSON.stringify(id)}`;
};

const plan: Action = (session, random) => {
  const { engine } = session;
  if (engine === undefined || !session.deployed) return "nothing";
  const percent = random.pick([0, 30, 70, 100]);
  const guard = random.chance(0.5) ? { guard: { endedMin: 2, failureRateMax: 0.3, incidentsMax: 3 } } : {};
  const plan = random.chance(0.1) ? null : { stable: "1.0.0", candidate: "2.0.0", percent, ...guard };
  session.ask("rollout", engine.rollout("leaf", plan), () => session.count("rollouts"));
  return `rollout ${JSON.stringify(plan)}`;
};

const finish: Action = (session, random) => `finish ${session.crew.finish(random)}`;

const beat: Action = (session, random) => {
  session.crew.beat(random);
  return "a heartbeat";
};

const pass: Action = async (session, random) => {
  const ms = random.pick([1, 500, 1_000, 2_500, 6_000, 11_000, 25_000]);
  await session.clock.advance(ms);
  return `${ms} ms pass`;
};

const jump: Action = (session, random) => {
  session.ledger.sees(session.clock.now());
  const ms = random.pick([-60_000, -5_000, -1, 1, 4_000, 60_000]);
  session.clock.jump(ms);
  session.count("clock jumps");
  return `the clock jumps by ${ms} ms`;
};

const crash: Action = (session) => {
  session.life.die("anywhere");
  return "crash now";
};

const planCrash: Action = (session, random) => {
  const at = random.weighted([
    [4, "disk:"],
    [3, session.medium.insideCommit],
    [1, "engine:turn-loaded"],
    [1, "engine:before-commit"],
    [1, "engine:after-commit"],
    [1, "engine:after-answers"],
    [1, "engine:after-effects"],
  ]);
  const left = random.below(at === "disk:" ? 20 : 5);
  session.life.expect({ at, left });
  return `a crash at ${at} in ${left}`;
};

const breakDisk: Action = (session, random) => {
  const fault = random.pick(session.medium.faults);
  session.medium.fail(fault);
  session.count(`disk ${fault}`);
  return `the disk will fail: ${fault}`;
};

const adjust: Action = (session, random) => {
  const queue = random.pick(queueClasses);
  const slots = random.pick([0, 1, 1, 2, 5]);
  const { engine } = session;
  if (engine !== undefined) session.ask("adjustQueue", engine.adjustQueue(queue, slots));
  return `${queue} has ${slots} slots`;
};

/** All of it, or one process alone: then that version is the latest, and may begin with what is kept. */
const deploy: Action = (session, random) => {
  const { engine, documents } = session;
  if (engine === undefined) return "nothing";
  const alone = session.deployed && random.chance(0.7) ? [random.pick(documents)] : documents;
  session.ask("deploy", engine.deploy(alone), () => {
    session.deployed = true;
    session.count("deployments");
  });
  return `deploy ${alone.map(({ id, version }) => `${id} ${version}`).join()}`;
};

/** What is published before there is anybody waits for a process that begins with it. */
export const beforeDeployment: Action = (session, random) =>
  random.chance(0.3) ? publish(session, random) : deploy(session, random);

const changeWorkers: Action = async (session, random) => {
  const jobType = random.pick(jobTypes);
  const { engine, crew } = session;
  if (engine === undefined) return "nothing";
  const dismissed = crew.dismiss(jobType, random.pick([0, 1_000]));
  await session.clock.advance(1_000);
  const options = {
    ...(random.chance(0.4) ? { silenceMs: 2_000 + random.below(5_000) } : {}),
    ...(random.chance(0.3) ? { concurrency: 1 } : {}),
  };
  session.ask("stop", dismissed, () => {
    // While the store refuses to write nobody is taken on.
    session.ask(
      "work",
      hire(() => crew.hire(engine, jobType, options)),
    );
  });
  return `other workers for ${jobType}: ${JSON.stringify(options)}`;
};

async function hire(work: () => void): Promise<void> {
  work();
}

const close: Action = async (session, random) => {
  const { engine, life } = session;
  if (engine === undefined) return "nothing";
  const graceMs = random.pick([0, 2_000]);
  let closed = false;
  session.ask("close", engine.close({ graceMs }), () => {
    closed = true;
  });
  await session.clock.advance(graceMs + 10_000);
  if (!life.dead) {
    session.ledger.check(closed, "closing never ends");
    life.die("the end of a closing");
  }
  return `close within ${graceMs} ms`;
};

const look: Action = (session, random) => {
  const { engine } = session;
  if (engine === undefined) return "nothing";
  const views = [
    "instances",
    "jobs",
    "tasks",
    "incidents",
    "queues",
    "subscriptions",
    "messages",
    "refusals",
    "versions",
  ] as const;
  const view = random.pick(views);
  session.ask(`query ${view}`, engine.query(view, {}, { limit: 1 + random.below(3) }));
  const shadow = pickShadow(session, random);
  if (shadow !== undefined) session.ask("instance", engine.instance(shadow.instanceId));
  return `look at ${view}`;
};

const command: Action = (session, random) => {
  const { engine, ledger } = session;
  const shadow = pickShadow(session, random);
  if (engine === undefined || shadow === undefined) return start(session, random);
  const made = chosenFor(random, shadow) ?? likelyCommand(random, shadow.state);
  const instanceId = random.chance(0.03) ? "nobody" : shadow.instanceId;
  const send = (): void => {
    session.ask(`${made.type} to ${instanceId}`, engine.command(instanceId, made), (outcome) => {
      session.count(outcome.ok ? "accepted commands" : "refused commands");
      if (outcome.ok) {
        ledger.check(outcome.position <= ledger.rows.length, () => `${made.type} was answered before it was durable`);
      }
    });
  };
  send();
  // What is sent twice arrives twice, now and then.
  const twice = random.chance(0.15);
  if (twice) send();
  return `${instanceId}: ${JSON.stringify(made)}${twice ? " twice" : ""}`;
};

/** What a person chooses next in an ad-hoc sub-process, now and then. */
function chosenFor(random: Random, { state, program }: Shadow): InstanceCommand | undefined {
  const [adHoc] = state.adHocs.values();
  if (adHoc === undefined || random.chance(0.6)) return undefined;
  const { element = "" } = state.elements.get(adHoc.body) ?? {};
  const chosen = random.pick(program.activatable.get(element) ?? []);
  return { type: "activate-elements", key: adHoc.body, elements: [{ element: chosen.id }], actor };
}

/** To the same program under the same names: nothing of it may change but what is said about it. */
const migrate: Action = (session, random) => {
  const { engine, ledger } = session;
  const shadow = pickShadow(session, random);
  if (engine === undefined || shadow === undefined) return start(session, random);
  const { instanceId, program } = shadow;
  const dryRun = random.chance(0.3);
  const { id: process, version } = program.document;
  const request = { process, version, dryRun, reason, actor };
  session.ask(`migrate ${instanceId}`, engine.migrate(instanceId, request), (migration) => {
    session.count(migration.ok ? "migrations" : "refused migrations");
    const position = migration.ok ? migration.position : null;
    ledger.check(position === null || position <= ledger.rows.length, "a migration was answered before it was durable");
    ledger.check(!(migration.ok && dryRun && position !== null), "a dry run has a position");
  });
  return `migrate ${instanceId}${dryRun ? " (dry run)" : ""}`;
};

/** From any point of any instance, ended ones too. */
const fork: Action = (session, random) => {
  const { engine, ledger } = session;
  const shadow = pickShadow(session, random);
  if (engine === undefined || shadow === undefined) return start(session, random);
  const { instanceId } = shadow;
  const requestId = `fork${random.below(30)}`;
  const position = random.below(ledger.rows.length) + 1;
  const at = random.chance(0.5) ? {} : { at: { position } };
  const request = { requestId, instanceId, ...at, cancelOriginal: random.chance(0.3), reason, actor };
  session.ask(`fork ${instanceId}`, engine.fork(request), (forkId) => {
    session.count("forks");
    ledger.check(ledger.byId.has(forkId), () => `the fork '${forkId}' was answered, but is not in the log`);
  });
  return `fork ${instanceId} ${JSON.stringify(at)}`;
};

/** Open instances mostly, ended ones now and then. */
function pickShadow(session: Session, random: Random): Shadow | undefined {
  const all = [...session.ledger.shadows.values()];
  const open = all.filter(({ state }) => state.head.endedAt === null);
  const from = open.length > 0 && random.chance(0.95) ? open : all;
  return from.length === 0 ? undefined : random.pick(from);
}

const actions: readonly (readonly [number, Action])[] = [
  [4, start],
  [1, startAgain],
  [3, publish],
  [0.7, broadcast],
  [0.5, plan],
  [9, finish],
  [0.5, beat],
  [4, pass],
  [0.7, jump],
  [0.8, crash],
  [2, planCrash],
  [0.8, breakDisk],
  [0.5, adjust],
  [0.4, deploy],
  [0.5, migrate],
  [0.5, fork],
  [0.4, changeWorkers],
  [0.3, close],
  [0.4, look],
  [7, command],
];

export async function act(session: Session, random: Random): Promise<string> {
  const action = random.weighted(actions);
  session.count("actions");
  return action(session, random);
}
