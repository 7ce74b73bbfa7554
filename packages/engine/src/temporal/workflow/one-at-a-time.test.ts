import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { OneAtATime } from "./one-at-a-time.ts";

test("[TE67] what takes long is not overtaken by what takes no time, and nothing begins before it has ended", async () => {
  const oneAtATime = new OneAtATime(() => true);
  const seen: string[] = [];
  const wait = async (name: string, ms: number): Promise<string> => {
    seen.push(`${name} begins`);
    await sleep(ms);
    seen.push(`${name} ends`);
    return name;
  };
  const activities = oneAtATime.inTurn({ wait });
  const both = [activities.wait("slow", 20), activities.wait("quick", 0)];
  const batch = oneAtATime.run(() => Promise.all([wait("one", 0), wait("two", 0)]));
  expect(seen).toEqual(["slow begins"]);
  expect(await Promise.all(both)).toEqual(["slow", "quick"]);
  expect(await batch).toEqual(["one", "two"]);
  const order = ["slow begins", "slow ends", "quick begins", "quick ends", "one begins", "two begins"];
  expect(seen.slice(0, -2)).toEqual(order);
});

test("[TE67] what fails holds nothing up, and what comes to nothing under way begins at once", async () => {
  const oneAtATime = new OneAtATime(() => true);
  const seen: string[] = [];
  const failing = oneAtATime.run(() => Promise.reject(new Error("no")));
  const next = oneAtATime.run(async () => seen.push("next"));
  await expect(failing).rejects.toThrow("no");
  await next;
  await sleep(0);
  void oneAtATime.run(async () => seen.push("at once"));
  expect(seen).toEqual(["next", "at once"]);
});

test("[TE10] what a history from before began at once begins at once in its replay", () => {
  const oneAtATime = new OneAtATime(() => false);
  const seen: string[] = [];
  for (const name of ["one", "two"]) {
    void oneAtATime.run(async () => {
      seen.push(name);
      await sleep(1);
    });
  }
  expect(seen).toEqual(["one", "two"]);
});
