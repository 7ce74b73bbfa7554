import { defineConfig } from "vitest/config";

const source = { conditions: ["@tutti/source", "module", "node", "default"] };

function project(name: string, include: string[], timeoutMs: number, exclude: string[] = []) {
  return {
    resolve: source,
    ssr: { resolve: source },
    test: { name, include, exclude: ["**/node_modules/**", "**/dist/**", ...exclude], testTimeout: timeoutMs },
  };
}

const src = "packages/*/src/**";

export default defineConfig({
  test: {
    projects: [
      project("unit", [`${src}/*.test.ts`, "tools/**/*.test.ts"], 20_000, [
        "**/*.sim.test.ts",
        "**/*.e2e.test.ts",
        "**/conformance/**",
      ]),
      project("conformance", [`${src}/conformance/**/*.test.ts`], 60_000),
      project("simulation", [`${src}/*.sim.test.ts`], 300_000),
      project("e2e", [`${src}/*.e2e.test.ts`], 300_000),
    ],
  },
});
