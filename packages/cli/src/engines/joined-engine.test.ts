import { compileYaml, createHost } from "@tutti/definition";
import { createEmbeddedEngine, type Engine, openMemoryStore } from "@tutti/engine";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JoinedEngine } from "./joined-engine.ts";
import { MovesUnderWay } from "./moves-under-way.ts";

const order = `
process: order
steps: { ask: { user: { title: "Ship it?" } } }
`;

interface Gate {
  readonly reached: PromiseWithResolvers<void>;
  readonly opened: PromiseWithResolvers<void>;
}

/** What comes to this engine waits at the gate. */
function behind(gate: Gate, engine: Engine): Engine {
  return {
    ...{ instance: (id) => engine.instance(id), history: (request) => engine.history(request) },
    ...{ command: (...asked) => engine.command(...asked), release: (id) => engine.release(id) },
    ...{ query: (...asked) => engine.query(...asked), start: (request) => engine.start(request) },
    adopt: async (...asked) => {
      gate.reached.resolve();
      await gate.opened.promise;
      await engine.adopt(...asked);
    },
  } as Engine;
}

let gate: Gate;
let here: Engine;
let there: Engine;
let house: JoinedEngine;
beforeEach(async () => {
  const open = async (): Promise<Engine> =>
    createEmbeddedEngine({ store: await openMemoryStore(), host: createHost() });
  here = await open();
  there = await open();
  gate = { reached: Promise.withResolvers(), opened: Promise.withResolvers() };
  const sideOf = (name: "embedded" | "temporal", engine: Engine) => ({
    ...{ name, read: async () => engine, engine: async () => engine },
  });
  house = new JoinedEngine([sideOf("embedded", here), sideOf("temporal", behind(gate, there))], new MovesUnderWay());
  await house.deploy(compileYaml(order, { file: "order.yaml" }).programs);
  const start = { requestId: "once", process: "order", instanceId: "order-1", variables: {}, actor: "ann" };
  await house.start(start);
});
afterEach(async () => {
  await Promise.all([here, there].map((engine) => engine.close()));
});

const move = { to: "temporal", stopRunning: false, reason: "More machines.", actor: "ann" } as const;

test("[C123] who asks for an instance that moves waits until it is there: nobody finds it paused, or nowhere", async () => {
  const moved = house.move("order-1", move);
  await gate.reached.promise;
  await expect(here.instance("order-1")).rejects.toMatchObject({ code: "instance-not-found" });
  const asked = house.instance("order-1");
  const done = house.command("order-1", { type: "claim-task", key: 1, actor: "ann" });
  const again = house.move("order-1", move);
  gate.opened.resolve();
  expect(await moved).toBe(true);
  expect(await asked).toMatchObject({ instanceId: "order-1", status: "running" });
  expect(await done).toMatchObject({ ok: true });
  expect(await again).toBe(false);
  expect((await there.query("tasks")).rows).toMatchObject([{ assignee: "ann" }]);
});

test("[C124] a move that fails in the middle holds nobody up: it says so until it is repeated, which finishes it", async () => {
  const cut = house.move("order-1", move);
  await gate.reached.promise;
  const asked = house.instance("order-1");
  gate.opened.reject(new Error("the server is away"));
  await expect(cut).rejects.toThrow("the server is away");
  await expect(asked).rejects.toMatchObject({ code: "instance-given-up" });
  const back = await house.move("order-1", { ...move, to: "embedded" });
  expect(back).toBe(true);
  expect(await house.instance("order-1")).toMatchObject({ status: "running" });
});
