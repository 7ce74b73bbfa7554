import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** SLOW=1 (`npm run test:slow`) lengthens what is randomised: more seeds, more kills, larger inputs. */
const slow = process.env["SLOW"] === "1";
const slowFactor = slow ? 60 : 1;

/** TESTED=GLOB leaves out what was run before (`--exclude` does not reach the projects). */
const tested = process.env["TESTED"] === undefined ? [] : [process.env["TESTED"]];

// Tests run the source, unbuilt: every package exports it under this condition.
const source = { conditions: ["@tutti/source", "node", "default"] };
const src = "packages/*/src/**";

/**
 * What takes minutes, the longest first: begun last, one of them would run alone beside an idle core. A fresh checkout
 * knows nothing of durations, and many of these files are short because the suite that they run stands in another one.
 */
const longest = [
  "engine/src/conformance/temporal.test.ts",
  "engine/src/conformance/temporal-short.test.ts",
  "engine/src/conformance/temporal-shared.test.ts",
  "engine/src/conformance/temporal-messages.test.ts",
  "engine/src/conformance/postgres.test.ts",
  "engine/src/simulation/simulation.sim.test.ts",
  "engine/src/differential/differential.sim.test.ts",
  "kernel/src/kernel.sim.test.ts",
  "engine/src/endurance/kills.sim.test.ts",
  "cli/src/e2e/machines.e2e.test.ts",
  "cli/src/e2e/many-units.e2e.test.ts",
  "cli/src/e2e/temporal.e2e.test.ts",
  "cli/src/e2e/packed.e2e.test.ts",
  "cli/src/e2e/fork.e2e.test.ts",
  "cli/src/instance.e2e.test.ts",
  "cli/src/e2e/crash.e2e.test.ts",
].map((file) => `packages/${file}`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byProject = Map.groupBy(await super.sort(files), ({ project }) => project.name);
    return [...byProject.values()].flatMap((group) => group.sort((a, b) => placeOf(a) - placeOf(b)));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = longest.findIndex((file) => moduleId.endsWith(file));
  return place === -1 ? longest.length : place;
}

/** They measure time: nothing else runs then. */
const alone = [
  "cli/src/owner.e2e.test.ts",
  "cli/src/steer.e2e.test.ts",
  "cli/src/e2e/control.e2e.test.ts",
  "cli/src/e2e/demo.e2e.test.ts",
].map((file) => `packages/${file}`);

for (const file of [...longest, ...alone]) {
  if (!existsSync(new URL(file, import.meta.url)))
    throw new Error(`vitest.config.ts names ${file}, which is not there`);
}

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
      exclude: ["**/node_modules/**", "**/dist/**", "**/fixtures/**", ...tested, ...exclude],
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
    globalSetup: "tools/testing/run-cache.ts",
    sequence: { sequencer: LongestFirst },
    // Of those tests in one file that say they can.
    maxConcurrency: 4,
    projects: [
      project({
        name: "unit",
        include: [`${src}/*.test.ts`, "tools/**/*.test.ts"],
        exclude: ["**/*.sim.test.ts", "**/*.e2e.test.ts", "**/conformance/**"],
        timeoutMs: 20_000,
        order: 1,
      }),
      project({ name: "conformance", include: [`${src}/conformance/**/*.test.ts`], timeoutMs: 180_000, order: 2 }),
      // The longest takes two minutes on two free cores, and many times that beside others.
      project({ name: "simulation", include: [`${src}/*.sim.test.ts`], timeoutMs: 900_000, order: 3 }),
      project({ name: "e2e", include: [`${src}/*.e2e.test.ts`], exclude: alone, timeoutMs: 300_000, order: 4 }),
      project({ name: "e2e-alone", include: alone, timeoutMs: 300_000, order: 5, workersMax: 1 }),
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
