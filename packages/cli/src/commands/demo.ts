import type { RunView } from "@tutti/feature";
import type { Command, Context } from "../command.ts";
import { type DemoFolder, layOut } from "../demo/material.ts";
import { makeRepository, type TestRun, testResult } from "../demo/repository.ts";
import { ensureOwner } from "../owner/find.ts";
import { remoteAccess } from "../run/access.ts";
import { progressOf } from "../run/attend.ts";
import { exitStatus } from "../run/exit-status.ts";
import { followRun, isOver } from "../run/follow.ts";
import { prepareRun } from "../run/prepare.ts";
import { finalReport } from "../run/report.ts";
import { reportPath } from "../run/report-path.ts";
import { announce, beginThere } from "../run/start-run.ts";
import { wordsOf } from "../run/words.ts";
import { stateFolder } from "../state.ts";
import { quote } from "../terminal/text.ts";
import { stopOwner } from "./stop.ts";

export const demo: Command = {
  name: "demo",
  summary:
    "Adds user authentication with OAuth2 to a small web service, in a folder of its own, in less than a minute.",
  about:
    "The agents are scripted: each plays edits that were written before. Git, the tests, the merge, the conflicts and the recovery after a crash are real. Kill it as hard as you like; it says how to go on.",
  options: { dir: { value: "DIR", help: "an empty folder for all of it (default: a temporary one)" } },
  arguments: [],
  async run(given) {
    const { input, environment, cwd, out } = given;
    const folder = await layOut(input.text("dir"), cwd);
    const named = input.text("state") ?? environment["TUTTI_STATE"];
    const { engine, temporal, patience } = given.state;
    const said = {
      ...(engine === undefined ? {} : { engine }),
      ...(temporal === undefined ? {} : { temporal }),
      ...(patience === undefined ? {} : { patience }),
    };
    const own = { ...stateFolder(folder.state, environment, cwd), ...said };
    const state = named === undefined || named === "" ? own : given.state;
    const context: Context = { ...given, state };
    out.note("A demo of Tutti: a small web service gets user authentication with OAuth2.");
    await makeRepository(folder.repository);
    const prepared = await prepareRun({
      cwd,
      feature: undefined,
      repository: folder.repository,
      allowDirty: false,
      planFile: folder.plan,
      options: { agent: "scripted", script: folder.script },
    });
    announce(context, prepared);
    const { id } = prepared.start;
    out.note(`If it is killed: ${wordsOf(context).tutti(`resume ${id}`)}`);
    const since = Date.now();
    const { client, started } = await ensureOwner(state);
    await beginThere(client, prepared.start);
    const progress = progressOf(context);
    const { view, detached } = await followRun(remoteAccess(client), {
      run: id,
      since,
      signal: context.interrupt,
      isRest: isOver,
      ...progress,
    });
    progress.end();
    if (detached) return detach(context, id);
    const status = await conclude(context, { folder, view });
    // The owner was there for this run alone.
    if (started && view.endedAt !== null) await stopOwner(context, 0);
    return status;
  },
};

function detach(context: Context, run: string): number {
  const { tutti } = wordsOf(context);
  context.out.note(`${run} goes on without you.\n→ ${tutti(`status ${run} --follow`)}\n→ ${tutti(`cancel ${run}`)}`);
  return 0;
}

async function conclude(context: Context, { folder, view }: { folder: DemoFolder; view: RunView }): Promise<number> {
  const { out, state } = context;
  const words = wordsOf(context);
  const status = await exitStatus(view);
  const { published } = view;
  if (published === null) {
    out.text(finalReport(view, words));
    out.document({ run: view.run, folder: folder.path, state: state.path, view, tests: null });
    return status === 0 ? 1 : status;
  }
  const { repository, result } = folder;
  const tests = await testResult({ repository, branch: published.branch, folder: result });
  // The closing names what to type next, once.
  out.text(finalReport(view, words, { next: false }));
  out.text(closing(context, { folder, view, tests, branch: published.branch }));
  const report = reportPath(state, view.run);
  out.document({
    run: view.run,
    folder: folder.path,
    state: state.path,
    branch: published.branch,
    report,
    tests,
    view,
  });
  return tests.passed ? status : 3;
}

/** What the tests of the result say, where everything lies, and what to try next. */
function closing(
  context: Context,
  demo: { readonly folder: DemoFolder; readonly view: RunView; readonly tests: TestRun; readonly branch: string },
): string {
  const { folder, view, tests, branch } = demo;
  const { green, red } = context.out.style;
  const { tutti } = wordsOf(context);
  const verdict = tests.passed ? green(`all ${tests.tests} pass`) : red(`${tests.failed} of ${tests.tests} fail`);
  return [
    `  Tests of the merged result, run once more in ${folder.result}: ${verdict}.`,
    "",
    "The agents were scripted. With a coding agent on the PATH the same works for your own repository.",
    "What next?",
    `→ less ${quote(reportPath(context.state, view.run))}`,
    `→ git -C ${quote(folder.repository)} log --graph --oneline ${branch}`,
    `→ ${tutti(`show sessions ${view.run}`)}`,
    `→ ${tutti(`log ${view.run}`)}`,
    `→ ${tutti("doctor")}`,
    `→ rm -rf ${quote(folder.path)}`,
  ].join("\n");
}
