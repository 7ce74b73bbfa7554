import { readFileSync } from "node:fs";
import type { Json } from "@tutti/kernel";
import fc from "fast-check";
import { expect, test } from "vitest";
import { process } from "./builder.ts";
import { canonicalJson, hashProgram } from "./hash.ts";
import { definitionJsonSchema } from "./schema/json-schema.ts";
import { flowsOf, programOf } from "./testing/check.ts";

const yaml = `process: order
version: "1.0"
variables: { id: { type: string, required: true }, total: number }
outputs: [total]
onError: compensate
steps:
  price: { job: order.price, in: [id], out: [total] }
  check:
    choose:
      - { when: "total > 100.0", then: both }
      - { otherwise: finish }
  both: { fork: [charge, pack] }
  charge:
    job: payment.charge
    in: { amount: = total }
    undo: { job: payment.refund }
    on: { error: { declined: finish }, timer: [{ after: 15m, then: finish }] }
    then: together
  pack: { steps: { pick: { job: pick } }, then: together }
  together: { join: true }
  finish: { pass: true }
`;

const build = () =>
  process("order", { version: "1.0", onError: "compensate" })
    .variables({ id: { type: "string", required: true }, total: "number" })
    .outputs("total")
    .start()
    .service("price", { job: "order.price", in: ["id"], out: ["total"] })
    .choose("check", { when: "total > 100.0", then: "both" }, { otherwise: "finish" })
    .parallel(
      "both",
      [
        (branch) =>
          branch
            .service("charge", { job: "payment.charge", in: { amount: "= total" }, undo: { job: "payment.refund" } })
            .onError("declined", "finish")
            .onTimer({ after: "15m" }, "finish"),
        (branch) => branch.sub("pack", (inner) => inner.service("pick", { job: "pick" })),
      ],
      "together",
    )
    .pass("finish")
    .end()
    .build();

test("[D100] the builder gives the program that YAML gives", () => {
  const { program, problems } = build();
  expect(problems).toEqual([]);
  const written = programOf(yaml);
  expect(program === undefined ? [] : flowsOf(program)).toEqual(flowsOf(written));
  expect(program?.hash).toBe(written.hash);
});

test("[D101] the builder reports what is wrong and gives no program", () => {
  const { program, problems } = process("p")
    .service("a", { job: "x" })
    .then("nowhere")
    .from("a")
    .service("a", { job: "y" })
    .build();
  expect(program).toBeUndefined();
  expect(problems.map((problem) => problem.code)).toContain("element-duplicate");
  expect(
    process("not an id")
      .pass("a")
      .build()
      .problems.map((problem) => problem.code),
  ).toEqual(["schema-invalid"]);
});

test("[D102] the hash is that of the content: not of key order, comments or lines", () => {
  const moved = `# a comment\n\n${yaml}`;
  const reordered = yaml.replace("in: [id], out: [total]", "out: [total], in: [id]");
  expect([programOf(moved).hash, programOf(reordered).hash]).toEqual([programOf(yaml).hash, programOf(yaml).hash]);
  expect(programOf(yaml.replace("15m", "PT15M")).hash).toBe(programOf(yaml).hash);
  expect(programOf(yaml.replace("15m", "16m")).hash).not.toBe(programOf(yaml).hash);
  expect(programOf(yaml).hash).toMatch(/^sha256-[0-9a-f]{64}$/);
  expect(hashProgram(programOf(yaml))).toBe(programOf(yaml).hash);
  const headers = (position: number) =>
    programOf(`process: p\nsteps: { a: { job: x, headers: { position: ${position} } } }\n`).hash;
  expect(headers(1)).not.toBe(headers(2));
});

test("[D103] canonical JSON sorts keys, at any depth, and reads back the same", () => {
  const shuffled = (value: Json): Json => {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(shuffled);
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, shuffled(inner as Json)]),
    );
  };
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value = JSON.parse(text) as Json;
      expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(value);
    }),
  );
});

test("[D110] the published JSON Schema is in date", () => {
  const published: unknown = JSON.parse(readFileSync(new URL("../schema/tutti.schema.json", import.meta.url), "utf8"));
  // If this fails: npm run schema -w packages/definition
  expect(published).toEqual(JSON.parse(JSON.stringify(definitionJsonSchema())));
});
