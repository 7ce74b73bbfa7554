import { join } from "node:path";
import { describeWithMinio } from "@tutti/connect/testing/minio";
import { openS3House, type S3House } from "@tutti/connect/testing/s3";
import { describeWithPostgres, type PostgresServer, startPostgres } from "@tutti/engine/testing/postgres";
import { describeWithTemporal, startTemporalServer, type TemporalServer } from "@tutti/engine/testing/temporal";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CliHouse, gitAnswer, processesNaming } from "../testing/cli-house.ts";
import { describeWithMachines, type Machine, type Machines, openMachines } from "../testing/machines.ts";

interface Demo {
  readonly run: string;
  readonly branch: string;
  readonly tests: { readonly passed: boolean };
}

// Nothing is common to the machines but Temporal, a PostgreSQL and a store of artifacts in S3.
describeWithMachines("machines", () => {
  describeWithTemporal("on Temporal", () => {
    describeWithPostgres("with a common log", () => {
      describeWithMinio("and S3", () => {
        let temporal: TemporalServer;
        let postgres: PostgresServer;
        let s3: S3House;
        let machines: Machines;
        beforeAll(async () => {
          [temporal, postgres, s3, machines] = await Promise.all([
            startTemporalServer(),
            startPostgres(),
            openS3House({ encrypts: false }),
            openMachines(),
          ]);
        });
        afterAll(async () => {
          await machines?.close();
          await Promise.all([temporal?.stop(), postgres?.dispose(), s3?.close()]);
        });

        async function commonPlaces(): Promise<NodeJS.ProcessEnv> {
          const store = new URL(postgres.url("machines"));
          store.host = await machines.share(Number(store.port));
          const endpoint = await machines.share(Number(new URL(s3.server.endpoint).port));
          return {
            TUTTI_ENGINE: "temporal",
            TUTTI_STORE: store.href,
            TEMPORAL_ADDRESS: await machines.share(Number(temporal.address.split(":").at(-1))),
            TEMPORAL_NAMESPACE: temporal.namespace(),
            TUTTI_ARTIFACTS: `s3://${s3.bucket}/runs?endpoint=http://${endpoint}`,
            ...s3.server.environment,
          };
        }

        /** Names of the files below a folder of a machine. */
        async function filesOn(machine: Machine, ...paths: readonly string[]): Promise<readonly string[]> {
          const found = await machine.run("sh", "-c", 'find "$@" -type f 2>/dev/null || true', "sh", ...paths);
          return found.split("\n").filter((name) => name !== "");
        }

        test("[X15] agents and checks of a run work on a machine that has neither its repository nor its disk; the tree is the same", async () => {
          const common = await commonPlaces();
          const [one, two] = [await machines.machine(), await machines.machine()];
          const [owner, helper] = [
            await CliHouse.on(one, machines.data, common),
            await CliHouse.on(two, machines.data, common),
          ];
          const ready = /Works for Temporal .* jobs of merge.verify, unit.apply/;
          // One after the other, so that it is known who has which folder.
          const first = helper.start(["worker"]);
          await first.sees(ready, 180_000);
          const second = helper.start(["worker", "--grace", "30"]);
          await second.sees(ready, 180_000);
          const demo = owner.start(["demo", "--dir", join(machines.data, "demo"), "--json"]);
          const hasWorked = async (worker: number): Promise<void> =>
            expect
              .poll(() => filesOn(two, `state/workers/${worker}/transcripts`), { timeout: 180_000, interval: 200 })
              .not.toEqual([]);
          // One is killed in the middle of it and one drained; another one goes on in the place of the first.
          await hasWorked(1);
          first.child.kill("SIGKILL");
          await hasWorked(2);
          second.child.kill("SIGTERM");
          const drained = await second.done;
          expect(drained.exit, drained.stderr).toBe(0);
          expect(drained.stdout).toMatch(/^unit.apply .* done$/m);
          const third = helper.start(["worker", "--jobs", "2"]);
          await third.sees(ready, 180_000);
          const { exit, stdout, stderr } = await demo.done;
          expect(exit, stderr + stdout).toBe(0);
          const { branch, tests, run } = JSON.parse(stdout) as Demo;
          expect(tests.passed).toBe(true);
          third.child.kill("SIGTERM");
          expect((await third.done).exit).toBe(0);
          // The owner was there for the demo alone, and ends after it has given the folder free.
          await expect.poll(() => processesNaming(machines.data), { timeout: 10_000 }).toEqual([]);
          // What was done there lies there, and neither sees the other's.
          expect((await filesOn(two, "state/workers")).join("\n")).toContain(`/transcripts/${run}/`);
          const workspaces = ["state/workers/1/workspaces", "state/workers/2/workspaces"];
          expect(await filesOn(two, "demo", "state/runs", ...workspaces)).toEqual([]);
          expect(await filesOn(one, "state/workers")).toEqual([]);
          const tree = await one.run("git", "-C", "demo/notes", "rev-parse", `${branch}^{tree}`);
          const alone = await CliHouse.open();
          try {
            const same = await alone.json<Demo>("demo", "--dir", join(alone.folder, "demo"));
            const expected = await gitAnswer(join(alone.folder, "demo/notes"), "rev-parse", `${same.branch}^{tree}`);
            expect(tree.trim()).toBe(expected);
          } finally {
            await alone.close();
          }
        }, 900_000);
      });
    });
  });
});
