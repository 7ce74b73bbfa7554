import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeWithPostgres, type PostgresServer, startPostgres } from "@tutti/engine/testing/postgres";
import {
  describeWithTemporal,
  startTemporalServer,
  type TemporalServer,
  temporalFolder,
} from "@tutti/engine/testing/temporal";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { CliHouse, type RunningCli, until } from "./testing/cli-house.ts";

/** Its job is done after a while that begins by itself, so that nobody has to be there who starts it. */
const definition = stringify({
  process: "errand",
  variables: { by: "string" },
  outputs: ["by"],
  steps: { later: { wait: "1s" }, do: { job: "errand.do", out: ["by"] } },
});

/** Begins, and says who it is once there is a file `may-end` beside it. */
const program = `
console.error("begun");
const look = () => {
  if (require("node:fs").existsSync("may-end")) console.log(JSON.stringify({ by: process.cwd() }));
  else setTimeout(look, 50);
};
look();
`;

interface Listed {
  readonly instances: readonly { readonly instanceId: string; readonly status: string }[];
}

describeWithTemporal("workers", () => {
  describeWithPostgres("that share a log", () => {
    let temporal: TemporalServer;
    let postgres: PostgresServer;
    const houses: CliHouse[] = [];
    beforeAll(async () => {
      [temporal, postgres] = await Promise.all([startTemporalServer(), startPostgres()]);
    });
    afterAll(async () => {
      await Promise.all([temporal?.stop(), postgres?.dispose()]);
    });
    afterEach(async () => {
      for (const house of houses.splice(0)) await house.close();
    });

    /** Machines with nothing in common but Temporal and PostgreSQL. */
    function machines(
      count: number,
      { address, namespace } = { address: temporal.address, namespace: temporal.namespace() },
    ): Promise<CliHouse[]> {
      const environment = {
        TUTTI_ENGINE: "temporal",
        TUTTI_STORE: postgres.url(namespace.replace("-", "_")),
        TEMPORAL_ADDRESS: address,
        TEMPORAL_NAMESPACE: namespace,
      };
      const opening = Array.from({ length: count }, async () => {
        const house = await CliHouse.open(environment);
        houses.push(house);
        await writeFile(join(house.folder, "errand.yaml"), definition);
        await writeFile(join(house.folder, "errand.cjs"), program);
        return house;
      });
      return Promise.all(opening);
    }

    async function worker(house: CliHouse): Promise<RunningCli> {
      const run = `"${process.execPath}" errand.cjs`;
      const running = house.start(["worker", "errand.yaml", "--run", run, "--queue", "standard", "--grace", "30"]);
      await running.sees(/Works for Temporal .* jobs of errand.do \(standard\)/, 120_000);
      return running;
    }

    test("[C109] workers go on without an owner, take over from one that is killed, and drain", async () => {
      const [owner, first, second] = (await machines(3)) as [CliHouse, CliHouse, CliHouse];
      const deployed = await owner.tutti("process", "deploy", join(owner.folder, "errand.yaml"));
      expect(deployed.exit, deployed.stderr).toBe(0);
      const ended = async (id: string): Promise<boolean> =>
        (await owner.json<Listed>("process", "list")).instances.some(
          ({ instanceId, status }) => instanceId === id && status === "completed",
        );
      const one = await worker(first);
      await owner.json("process", "start", "errand", "--id", "slow");
      expect((await owner.tutti("stop")).exit).toBe(0);
      // Nobody else has the job, and it is taken over when who has it is gone.
      await one.sees(/begun/, 60_000);
      const two = await worker(second);
      one.child.kill("SIGKILL");
      // Its program lives on, and nobody hears it any more.
      await writeFile(join(first.folder, "may-end"), "");
      await two.sees(/begun/, 60_000);
      two.child.kill("SIGTERM");
      await two.sees(/running jobs have 30 s/);
      await writeFile(join(second.folder, "may-end"), "");
      const { exit, stdout, stderr } = await two.done;
      expect(exit, stderr).toBe(0);
      expect(stdout).toMatch(/errand.do slow\/\d+ done/);
      // What it did is told by the next one that works on workflows, without an owner.
      const three = await worker(first);
      await until(() => ended("slow"), 60_000);
      three.child.kill("SIGTERM");
      expect((await three.done).exit).toBe(0);
      expect((await owner.tutti("process", "vars", "slow")).stdout).toContain(second.folder);
      for (const house of [first, second]) expect(await house.strangers()).toEqual([]);
    });

    test("[C63, C121] under a release that is current new instances begin, and stay", async () => {
      const versioned = await startTemporalServer({ versioning: true });
      const namespace = versioned.namespace();
      try {
        const [owner, house] = (await machines(2, { address: versioned.address, namespace })) as [CliHouse, CliHouse];
        const deployed = await owner.tutti("process", "deploy", join(owner.folder, "errand.yaml"));
        expect(deployed.exit, deployed.stderr).toBe(0);
        const words = ["errand.yaml", "--run", `"${process.execPath}" errand.cjs`, "--release", "one", "--current"];
        const working = house.start(["worker", ...words]);
        await working.sees(/in release one, which is current/, 120_000);
        await owner.json("process", "start", "errand", "--id", "one");
        // The owner knows of no worker, and waits for those that there may be.
        expect((await owner.tutti("process", "show", "one")).stdout).not.toContain("Nobody here works");
        await writeFile(join(house.folder, "may-end"), "");
        const waited = await owner.tutti("process", "wait", "one", "--timeout", "60");
        expect(waited.exit, waited.stdout).toBe(0);
        const asked = ["workflow", "describe", "--workflow-id", "one", "--namespace", namespace, "--output", "json"];
        const temporal = join(temporalFolder(), "temporal");
        const { stdout } = await promisify(execFile)(temporal, [...asked, "--address", versioned.address]);
        expect(stdout).toMatch(/"buildId":\s*"one"/);
        expect((await owner.tutti("stop")).exit).toBe(0);
        working.child.kill("SIGTERM");
        expect((await working.done).exit).toBe(0);
      } finally {
        for (const house of houses.splice(0)) await house.close();
        await versioned.stop();
      }
    });

    test("[C131] with --short no job of a program is an activity, by a worker for Temporal or for the owner", async () => {
      const namespace = temporal.namespace();
      const [house] = (await machines(1, { address: temporal.address, namespace })) as [CliHouse];
      const moment = stringify({
        process: "moment",
        steps: { later: { wait: "15s" }, one: { job: "moment.do" }, two: { job: "moment.do" } },
      });
      await writeFile(join(house.folder, "moment.yaml"), moment);
      const deployed = await house.tutti("process", "deploy", join(house.folder, "moment.yaml"));
      expect(deployed.exit, deployed.stderr).toBe(0);
      const words = ["moment.do", "--run", "echo {}", "--short"];
      const eventsOf = async (id: string): Promise<string> => {
        const asked = ["workflow", "show", "--workflow-id", id, "--namespace", namespace, "--output", "json"];
        const cli = join(temporalFolder(), "temporal");
        return (await promisify(execFile)(cli, [...asked, "--address", temporal.address])).stdout;
      };
      const doneShort = async (id: string): Promise<void> => {
        const events = await eventsOf(id);
        expect(events).toContain("MARKER_RECORDED");
        expect(events).not.toContain("ACTIVITY_TASK_SCHEDULED");
      };
      const hired = house.start(["process", "work", ...words]);
      await hired.sees(/Does jobs of moment.do/, 60_000);
      await house.json("process", "start", "moment", "--id", "hired");
      expect((await house.tutti("process", "wait", "hired", "--timeout", "60")).exit).toBe(0);
      await doneShort("hired");
      hired.child.kill("SIGTERM");
      await hired.done;
      await house.json("process", "start", "moment", "--id", "alone");
      expect((await house.tutti("stop")).exit).toBe(0);
      const alone = house.start(["worker", ...words]);
      await until(async () => (await eventsOf("alone")).includes("WORKFLOW_EXECUTION_COMPLETED"), 120_000);
      alone.child.kill("SIGTERM");
      expect((await alone.done).exit).toBe(0);
      await doneShort("alone");
    });

    test("[C109] a worker says what it lacks", async () => {
      const [house] = (await machines(1)) as [CliHouse];
      for (const [words, code] of [
        [["--queue", "huge"], "option-invalid"],
        [["errand.do"], "command-needed"],
        [["--run", "true"], "command-needed"],
        [["--current"], "option-invalid"],
        [["--short"], "option-invalid"],
      ] as const) {
        const { exit, stderr } = await house.tutti("worker", ...words);
        expect(stderr).toContain(code);
        expect(exit).toBe(2);
      }
      const alone = await CliHouse.open();
      houses.push(alone);
      expect((await alone.tutti("worker")).stderr).toContain("worker-alone");
    });
  });
});
