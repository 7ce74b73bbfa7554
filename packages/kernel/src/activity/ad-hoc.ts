import { closeEventSubProcesses } from "../bpmn-event/event-sub-process.ts";
import type { Chosen, Key } from "../command.ts";
import { itemKey } from "../evolve/variable.ts";
import type { Json, JsonObject } from "../json.ts";
import {
  complete,
  dropTokens,
  instanceAt,
  isAtWork,
  isInner,
  terminate,
  terminateContent,
  visitOf,
} from "../lifecycle.ts";
import { must } from "../problem.ts";
import type { AdHocSubProcess } from "../program.ts";
import { activityKinds } from "../program-check.ts";
import { evaluateCondition, Names } from "../scope.ts";
import type { AdHocRecord } from "../state/state.ts";
import { onlyRests, raiseStuckJoin } from "../token/join.ts";
import { hasIncident, type Turn } from "../turn.ts";
import { offered } from "./choice.ts";
import { enter } from "./enter.ts";
import { prepareJob } from "./offer.ts";

function recordAt(turn: Turn, body: Key): AdHocRecord {
  return must(turn.state.adHocs.get(body), `${body} is no ad-hoc sub-process`);
}

function elementAt(turn: Turn, body: Key): AdHocSubProcess {
  return turn.element(instanceAt(turn, body).element) as AdHocSubProcess;
}

/** What came of the activities that completed in it, in that order. */
function resultsOf(turn: Turn, body: Key): readonly { readonly element: string; readonly result: Json }[] {
  return Array.from({ length: recordAt(turn, body).ended }, (_, index) =>
    must(turn.state.adHocResults.get(itemKey(body, String(index))), "results are counted"),
  );
}

/** Looks at an ad-hoc sub-process in which something changed: ends it, starts what was chosen, or asks for more. */
export function goOn(turn: Turn, body: Key): void {
  if (!isAtWork(turn, body) || !closeEarly(turn, body)) return;
  startChosen(turn, body);
  const { chosen, done, closing } = recordAt(turn, body);
  if (chosen.length > 0 || isBusy(turn, body)) return;
  const element = elementAt(turn, body);
  const lacksTokens = !closing && turn.state.waitingIn.count(body) > 0;
  if (done && lacksTokens) raiseStuckJoin(turn, body);
  else if (closing || done) finish(turn, body);
  else if (element.job !== undefined) offerChoice(turn, body, element);
}

/** Whether the limit keeps what was chosen, or the job that chooses, from starting. */
export function isChoiceHeld(turn: Turn, body: Key): boolean {
  const { chosen, done } = recordAt(turn, body);
  const { ordering, job } = elementAt(turn, body);
  if (!isAtWork(turn, body) || hasIncident(turn.state, body, "choice")) return false;
  const waitsForOthers = ordering === "sequential" || chosen.length === 0;
  return (chosen.length > 0 || (job !== undefined && !done)) && !(waitsForOthers && isBusy(turn, body));
}

/** Whether something in it moves or is awaited; gateways that wait to start again are neither. */
function isBusy(turn: Turn, body: Key): boolean {
  const { state } = turn;
  return (
    state.heldIn.count(body) > 0 || !onlyRests(state, body) || turn.arrivals.some((arrival) => arrival.scope === body)
  );
}

/** An activity in it completed: once the condition holds, nothing that would follow it starts. */
export function askCompletion(turn: Turn, body: Key): void {
  if (turn.state.adHocs.get(body) !== undefined && isAtWork(turn, body)) closeEarly(turn, body);
}

/** Asks the completion condition after activities completed. False when it fails: an incident waits then. */
function closeEarly(turn: Turn, body: Key): boolean {
  const { ended, closing } = recordAt(turn, body);
  const { id, completion, cancelRemaining, output } = elementAt(turn, body);
  if (completion === undefined || closing || ended === 0) return true;
  const extra: JsonObject = {
    completed: ended,
    // What a flow has led on to has not started yet, and is active all the same.
    active: turn.state.children.count(body) + turn.arrivals.count((arrival) => arrival.scope === body),
    // Worked out only if the condition asks for it.
    ...(output === undefined ? {} : { [output.target]: resultsOf(turn, body).map(({ result }) => result) }),
  };
  const names = new Names(turn.program, turn.state, { scope: body, extra });
  const done = evaluateCondition(turn, completion, names);
  if (!done.ok) {
    turn.raiseOnce({ owner: body, element: id, kind: "choice", error: done.error });
    return false;
  }
  if (!done.value) return true;
  turn.emit({ type: "ad-hoc-closing", body });
  if (cancelRemaining) terminateContent(turn, body);
  else {
    endRounds(turn, body);
    dropTokens(turn, body);
  }
  return true;
}

/** Nobody is asked any more what to activate. */
export function endRounds(turn: Turn, body: Key): void {
  for (const key of [...turn.state.children.of(body)]) {
    if (isInner(turn, instanceAt(turn, key).element, body)) terminate(turn, key);
  }
}

function startChosen(turn: Turn, body: Key): void {
  const sequential = elementAt(turn, body).ordering === "sequential";
  for (const chosen of recordAt(turn, body).chosen) {
    if ((sequential && isBusy(turn, body)) || turn.isFull()) return;
    startOne(turn, body, chosen);
  }
}

function startOne(turn: Turn, body: Key, chosen: Chosen): void {
  const element = turn.element(chosen.element);
  turn.countActivation();
  turn.emit({ type: "ad-hoc-activated", body, element: element.id, at: turn.at });
  if (!activityKinds.has(element.kind)) {
    turn.arrivals.push({ element: element.id, scope: body });
    return;
  }
  const key = turn.nextKey();
  if (chosen.variables !== undefined) {
    turn.emit({ type: "variables-set", scope: key, values: chosen.variables, actor: element.id, at: turn.at });
  }
  enter(turn, { element, key, scope: body });
}

/** Offers the job that chooses, as an instance of its own: an answer that comes twice must not answer the next one. */
function offerChoice(turn: Turn, body: Key, element: AdHocSubProcess): void {
  if (turn.isFull()) return;
  const names = new Names(turn.program, turn.state, { scope: body });
  // Whoever is to be asked has no key yet.
  const job = prepareJob(turn, element, names);
  if (!job.ok) return turn.raiseOnce({ owner: body, element: element.id, kind: "choice", error: job.error });
  turn.dropIncidents(body, "It has been worked out since.", ({ kind }) => kind === "choice");
  turn.countActivation();
  const key = turn.nextKey();
  turn.emit({ type: "element-activated", key, element: element.id, scope: body, at: turn.at });
  const input: { [name: string]: Json } = {};
  for (const { target } of element.inputs ?? []) input[target] = names.get(target) ?? null;
  const results = resultsOf(turn, body).map((result) => ({ ...result }));
  job.value(key, { ...input, elements: offered(turn.program, element), results });
}

function finish(turn: Turn, body: Key): void {
  const { output } = elementAt(turn, body);
  const result = output && { [output.target]: resultsOf(turn, body).map((each) => each.result) };
  terminateContent(turn, body);
  closeEventSubProcesses(turn, body);
  complete(turn, body, result === undefined ? {} : { result });
}

/** What somebody chose is to be started; an answer that chooses nothing while nothing is active is the last one. */
export function choose(
  turn: Turn,
  body: Key,
  choice: { readonly elements: readonly Chosen[]; readonly done: boolean; readonly actor: string },
): void {
  turn.emit({ type: "ad-hoc-chosen", body, ...choice, at: turn.at });
  if (choice.done) endRounds(turn, body);
  turn.stirred.add(body);
}

/** The job that chooses was answered. */
export function answerChoice(
  turn: Turn,
  round: Key,
  answer: { readonly elements: readonly Chosen[]; readonly done: boolean; readonly actor: string },
): void {
  const { element, scope } = visitOf(turn, round);
  turn.emit({ type: "element-completed", key: round, element: element.id, at: turn.at });
  const idle = answer.elements.length === 0 && recordAt(turn, scope).chosen.length === 0 && !isBusy(turn, scope);
  choose(turn, scope, { ...answer, done: answer.done || idle });
}
