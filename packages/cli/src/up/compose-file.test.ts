import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { serverSettings } from "./dev-server.ts";

const folder = fileURLToPath(new URL("../../../../examples/temporal/", import.meta.url));
const file = `${folder}compose.yaml`;

interface Service {
  readonly image: string;
  readonly ports: readonly string[];
  readonly environment: { readonly [name: string]: string };
  readonly volumes?: readonly string[];
  readonly depends_on?: object;
}

test("[C108] the compose file names releases, shows nothing to the network and holds no password", () => {
  const { services, volumes } = parse(readFileSync(file, "utf8")) as {
    readonly services: { readonly [name: string]: Service };
    readonly volumes: object;
  };
  expect(Object.keys(services)).toEqual(["postgresql", "temporal", "ui"]);
  for (const { image, ports, environment } of Object.values(services)) {
    expect(image).toMatch(/^[a-z/-]+:\d+\.\d+(\.\d+)?$/);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    const passwords = Object.entries(environment).filter(([name]) => /PASSWORD|PWD/.test(name));
    for (const [, value] of passwords) expect(value).toMatch(/^\$\{POSTGRES_PASSWORD:\?/);
  }
  const { postgresql, temporal } = services;
  expect(postgresql?.volumes).toEqual([`${Object.keys(volumes)[0]}:/var/lib/postgresql/data`]);
  expect(temporal?.environment["POSTGRES_SEEDS"]).toBe("postgresql");
  expect(temporal?.environment["POSTGRES_USER"]).toBe(postgresql?.environment["POSTGRES_USER"]);
  expect(temporal?.depends_on).toEqual({ postgresql: { condition: "service_healthy" } });
  expect(temporal?.volumes).toEqual(["./settings:/etc/temporal/config/dynamicconfig:ro"]);
});

test("[C108] its server has the settings of the one that `up` starts", () => {
  const settings = parse(readFileSync(`${folder}settings/tutti.yaml`, "utf8")) as {
    readonly [name: string]: readonly [{ readonly value: unknown }];
  };
  const said = Object.entries(settings).map(([name, [{ value }]]) => `${name}=${JSON.stringify(value)}`);
  expect(said).toEqual(serverSettings);
});

const hasCompose = spawnSync("docker", ["compose", "version"]).status === 0;

test.skipIf(!hasCompose)("[C108] docker compose takes it, and refuses it without a password", () => {
  const check = (password: string) =>
    spawnSync("docker", ["compose", "-f", file, "config", "--quiet"], {
      encoding: "utf8",
      env: { ...process.env, POSTGRES_PASSWORD: password },
    });
  expect(check("secret")).toMatchObject({ status: 0, stderr: "" });
  expect(check("").stderr).toContain("give the database a password");
});
