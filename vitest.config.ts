import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** SLOW=1 (`npm run test:slow`) lengthens what is randomised: more seeds, more kills, larger inputs. */
const slow = process.env["SLOW"] === "1";
const slowFactor = slow ? 60 : 1;

// Tests run the source, unbuilt: every package exports it under this condition.
const source = { conditions: ["@tutti/source", "node", "default"] };
const src = "packages/*/src/**";

interface Kind {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  readonly timeoutMs: number;
  /** Kinds run one after the other in this order, so that what measures time is not starved by what does not. */
  readonly order: number;
  readonly workersMax?: number;
}

function project({ name, include, exclude = [], timeoutMs, order, workersMax = availableParallelism() }: Kind) {
  return {
    resolve: source,
    ssr: { resolve: source },
    test: {
      name,
      include: [...include],
      exclude: ["**/node_modules/**", "**/dist/**", "**/fixtures/**", ...exclude],
      testTimeout: timeoutMs * slowFactor,
      hookTimeout: timeoutMs * slowFactor,
      maxWorkers: workersMax,
      sequence: { groupOrder: order },
    },
  };
}

export default defineConfig({
  test: {
    passWithNoTests: true,
    projects: [
      project({
        name: "unit",
        include: [`${src}/*.test.ts`, "tools/**/*.test.ts"],
        exclude: ["**/*.sim.test.ts", "**/*.e2e.test.ts", "**/conformance/**"],
        timeoutMs: 20_000,
        order: 1,
      }),
      project({ name: "conformance", include: [`${src}/conformance/**/*.test.ts`], timeoutMs: 60_000, order: 2 }),
      // The longest takes two minutes on two free cores, and many times that beside others.
      project({ name: "simulation", include: [`${src}/*.sim.test.ts`], timeoutMs: 900_000, order: 3 }),
      project({ name: "e2e", include: [`${src}/*.e2e.test.ts`], timeoutMs: 300_000, order: 4, workersMax: 1 }),
    ],
    coverage: {
      provider: "v8",
      include: ["packages/kernel/src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/testing/**", "**/*.bench.ts"],
      reporter: ["json"],
      reportsDirectory: "coverage",
    },
  },
});
