import { expect, test } from "vitest";
import { advanced, basic } from "./branching.ts";
import { cancellation, iteration, multipleInstances, termination } from "./instances.ts";
import { stateBased } from "./state.ts";

const patterns = [
  ...basic,
  ...advanced,
  ...stateBased,
  ...multipleInstances,
  ...cancellation,
  ...iteration,
  ...termination,
];

test.each(patterns.map((pattern) => [pattern.number, pattern.name, pattern] as const))(
  "[T50] WCP-%i %s",
  async (_number, _name, { shows }) => {
    await shows();
  },
);

test("x", () => expect(patterns.length).toBe(39));
