import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type CommandResult, runCommand } from "../process/command.ts";
import { selectCage } from "../select.ts";
import { type Bench, bench, bubblewrapHere } from "../testing/setup.ts";
import { bubblewrapCage, findBubblewrap } from "./bubblewrap.ts";
import type { Cage, CageOptions } from "./cage.ts";
import { uncaged } from "./none.ts";

const bubblewrap = await bubblewrapHere();
const benches: Bench[] = [];
afterEach(() => {
  for (const each of benches.splice(0)) each.remove();
});

function fresh(): Bench {
  const here = bench();
  benches.push(here);
  return here;
}

function sh(here: Bench, command: string | readonly string[], cage: Cage): Promise<CommandResult> {
  const { scratch, signal } = here.context;
  return runCommand({ command, cwd: here.workspace, scratch, cage, limits: { wallMs: 10_000 }, signal });
}

describe.skipIf(bubblewrap === undefined)("bubblewrap (not here: the sandbox does not start)", () => {
  const cage = (options: CageOptions = {}): Cage => {
    if (bubblewrap === undefined) throw new Error("skipped above");
    return bubblewrapCage(bubblewrap, options);
  };

  test("[A22] it writes to its workspace and its scratch folder, and nowhere else that lasts", async () => {
    const here = fresh();
    const outside = join(here.folder, "outside.txt");
    symlinkSync(outside, join(here.workspace, "link"));
    const command = `echo in > inside.txt; echo home > "$HOME/h"; echo x > ${outside}; echo x > link; echo x > /usr/x; echo x > /x; true`;
    const result = await sh(here, command, cage());
    expect(result.exit).toBe(0);
    expect(readFileSync(join(here.workspace, "inside.txt"), "utf8")).toBe("in\n");
    expect(existsSync(join(here.context.scratch, "home", "h"))).toBe(true);
    expect(existsSync(outside)).toBe(false);
    for (const path of ["/usr/x", "/x"]) expect(existsSync(path)).toBe(false);
  });

  test("[A22] a path named by a flag is shown, read-only or writable as named", async () => {
    const here = fresh();
    for (const name of ["readable", "writable"]) mkdirSync(join(here.folder, name));
    writeFileSync(join(here.folder, "readable", "a"), "a");
    const [readable, writable] = [join(here.folder, "readable"), join(here.folder, "writable")];
    const command = `cat ${readable}/a; echo b > ${writable}/b; echo c > ${readable}/c`;
    const result = await sh(here, command, cage({ readable: [readable], writable: [writable] }));
    expect(result.output).toMatch(/^a/);
    expect(existsSync(join(writable, "b"))).toBe(true);
    expect(existsSync(join(readable, "c"))).toBe(false);
  });

  test("[A63] a link that an earlier program left where the next one's folders belong opens nothing", async () => {
    const here = fresh();
    const secrets = join(here.folder, "secrets");
    mkdirSync(secrets);
    writeFileSync(join(secrets, "config"), "secret");
    const { scratch } = here.context;
    const plant = `ln -s ${secrets} "$HOME/../next"; rm -rf .git; ln -s ../secrets .git`;
    expect((await sh(here, plant, cage())).exit).toBe(0);
    const { signal } = here.context;
    const next = { cage: cage(), limits: { wallMs: 10_000 }, signal, cwd: here.workspace };
    const stolen = await runCommand({ ...next, scratch: join(scratch, "next"), command: "echo x > $HOME/../stolen" });
    expect(stolen).toMatchObject({ exit: 127, output: expect.stringContaining("there is a link") });
    expect(readdirSync(secrets)).toEqual(["config"]);
    const read = await runCommand({ ...next, scratch, command: "cat .git/config" });
    expect(read.exit).toBe(1);
    expect(read.output).not.toMatch(/^secret/m);
  });

  test("[A23] it does not see the user's home, other users' files or password hashes", async () => {
    const here = fresh();
    const secret = join(here.folder, "secret.txt");
    writeFileSync(secret, "secret");
    const result = await sh(
      here,
      `cat ${secret}; ls ${homedir()}/.ssh ${homedir()}/.bashrc; cat /etc/shadow; id -u`,
      cage(),
    );
    expect(result.output).not.toContain("secret\n");
    expect(result.output.match(/No such file/g)?.length).toBe(4);
    expect(result.output.trimEnd().endsWith("1000")).toBe(true);
  });

  test("[A24] it reaches no network, not even this machine, unless a flag names it", async () => {
    const here = fresh();
    const server = createServer((_request, response) => response.end("reached"));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const command = `${JSON.stringify(process.execPath)} -e 'fetch("${url}").then(r => r.text()).then(console.log, e => console.log(e.message))'`;
    expect((await sh(here, command, cage())).output).toContain("fetch failed");
    expect((await sh(here, command, cage({ network: "host" }))).output).toContain("reached");
    server.close();
  });

  test("[A64] of a program of one's own it sees the file alone, or the package that it is", async () => {
    const here = fresh();
    const run = async (folder: string): Promise<string> => {
      const program = join(folder, "agent.sh");
      mkdirSync(folder, { recursive: true });
      writeFileSync(program, '#!/bin/sh\ncat "$(dirname "$0")/beside" 2>&1\n', { mode: 0o755 });
      writeFileSync(join(folder, "beside"), "seen\n");
      return (await sh(here, [program], cage())).output;
    };
    expect(await run(join(here.folder, "alone"))).toContain("No such file");
    mkdirSync(join(here.folder, "package"));
    writeFileSync(join(here.folder, "package", "package.json"), "{}");
    expect(await run(join(here.folder, "package"))).toBe("seen\n");
    expect(await run(join(here.folder, "own", "bin"))).toBe("seen\n");
    expect(await run(join(here.folder, "node_modules", "agent", "deep"))).toBe("seen\n");
  });

  test("[A26] the git settings and hooks of its workspace are read-only", async () => {
    const here = fresh();
    mkdirSync(join(here.workspace, ".git", "hooks"), { recursive: true });
    writeFileSync(join(here.workspace, ".git", "config"), "[core]\n");
    await sh(here, "echo evil >> .git/config; echo evil > .git/hooks/pre-commit; echo ok > .git/other", cage());
    expect(readFileSync(join(here.workspace, ".git", "config"), "utf8")).toBe("[core]\n");
    expect(existsSync(join(here.workspace, ".git", "hooks", "pre-commit"))).toBe(false);
    expect(existsSync(join(here.workspace, ".git", "other"))).toBe(true);
  });

  test("[A27] what it starts ends with it, also in a session of its own and with no environment left", async () => {
    const here = fresh();
    const late = "while sleep 0.2; do echo late >> late.txt; done";
    await sh(here, `setsid env -i sh -c '${late}' > /dev/null 2>&1 & sleep 0.5; cat late.txt > seen.txt`, cage());
    expect(readFileSync(join(here.workspace, "seen.txt"), "utf8")).toContain("late");
    const written = readFileSync(join(here.workspace, "late.txt"), "utf8").length;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(readFileSync(join(here.workspace, "late.txt"), "utf8").length).toBe(written);
  });

  test("[A27] its processes see each other and none of the host's", async () => {
    const result = await sh(fresh(), "ls -d /proc/[0-9]* | wc -l", cage());
    expect(Number(result.output)).toBeLessThan(10);
  });

  test("[A28] finding it means starting one", async () => {
    expect(await findBubblewrap()).toMatchObject({ ok: true, bubblewrap: { version: expect.stringMatching(/^\d/) } });
  });
});

describe("every cage", () => {
  const cages: readonly ((options: CageOptions) => Cage)[] = [
    uncaged,
    ...(bubblewrap === undefined ? [] : [(options: CageOptions) => bubblewrapCage(bubblewrap, options)]),
  ];

  test.each(cages)("[A25] passes on the variables of the allow-list and those a flag named", async (make) => {
    const here = fresh();
    process.env["TUTTI_TEST_SECRET"] = "hidden";
    process.env["TUTTI_TEST_KEY"] = "given";
    const result = await sh(here, "env", make({ environment: ["TUTTI_TEST_KEY"] }));
    delete process.env["TUTTI_TEST_SECRET"];
    delete process.env["TUTTI_TEST_KEY"];
    expect(result.output).toContain("TUTTI_TEST_KEY=given");
    expect(result.output).not.toContain("hidden");
    expect(result.output).toContain(`HOME=${join(here.context.scratch, "home")}\n`);
    const allowed = /^(LANG|LC_\w+|TZ|PATH|HOME|TMPDIR|TERM|USER|LOGNAME|SHELL|PWD|OLDPWD|SHLVL|_|TUTTI_\w+)=/;
    for (const line of result.output.trim().split("\n")) expect(line).toMatch(allowed);
  });

  test.each(cages)("[A25] keys do not stand in arguments, which every user can read", async (make) => {
    const here = fresh();
    process.env["TUTTI_TEST_KEY"] = "a-key-to-hide";
    const cage = make({ environment: ["TUTTI_TEST_KEY"] });
    const { workspace, context } = here;
    const launch = await cage.launch({ argv: ["sh"], cwd: workspace, scratch: context.scratch, writable: [workspace] });
    delete process.env["TUTTI_TEST_KEY"];
    expect(launch.environment["TUTTI_TEST_KEY"]).toBe("a-key-to-hide");
    expect(launch.args.join(" ")).not.toContain("a-key-to-hide");
  });

  test.each(cages)("[A16] a program that is not there is said to be missing", async (make) => {
    const { workspace, context } = fresh();
    const command = { argv: ["no-such-program"], cwd: workspace, scratch: context.scratch, writable: [] };
    await expect(make({}).launch(command)).rejects.toMatchObject({ code: "agent-not-found" });
  });
});

describe("choosing", () => {
  test("[A28] without bubblewrap on the PATH the reason is said", async () => {
    const found = await findBubblewrap({ path: "/nonexistent" });
    expect(found).toMatchObject({ ok: false, reason: expect.stringContaining("bubblewrap") });
  });

  test("[A29] without a sandbox only a bundled agent runs, or what the user let", async () => {
    const path = process.env["PATH"];
    process.env["PATH"] = "/nonexistent";
    try {
      await expect(selectCage({ bundled: false })).rejects.toMatchObject({ code: "sandbox-missing" });
      await expect(selectCage({ bundled: true, sandbox: "bubblewrap" })).rejects.toMatchObject({
        code: "sandbox-missing",
      });
      expect((await selectCage({ bundled: true })).kind).toBe("none");
      expect((await selectCage({ bundled: false, sandbox: "none" })).kind).toBe("none");
    } finally {
      process.env["PATH"] = path;
    }
  });
});
