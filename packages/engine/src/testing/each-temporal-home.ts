import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { openTemporalHouse, type TemporalHome, type TemporalHouse } from "./temporal-house.ts";

/**
 * Gives each test around it a home of its own in a house that all of them share, with the bundle of `module`. `begin` is
 * called with it before the test, and gives what ends the test's engine.
 */
export function eachTemporalHome(module: string, begin: (home: TemporalHome) => Promise<() => Promise<void>>): void {
  let house: TemporalHouse;
  let home: TemporalHome;
  let end: () => Promise<void>;
  beforeAll(async () => {
    house = await openTemporalHouse(module);
  }, 120_000);
  afterAll(() => house?.close());
  beforeEach(async () => {
    home = house.home();
    end = await begin(home);
  });
  afterEach(async () => {
    await end();
    home.remove();
  });
}
