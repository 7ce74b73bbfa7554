import type { Triggered } from "../bpmn-event/trigger.ts";
import type { Actor, FailureInfo, Key } from "../command.ts";
import type { JsonObject } from "../json.ts";
import type { Element, ElementKind, Flow } from "../program.ts";
import type { Names, Result } from "../scope.ts";
import type { TimerRecord } from "../state/state.ts";
import type { Join } from "../token/reach.ts";
import type { Turn } from "../turn.ts";

/** One element instance about to start or started: what every step of its life needs to know. */
export interface Visit<E extends Element = Element> {
  readonly element: E;
  readonly key: Key;
  /** The element instance it runs in; 0 is the process. */
  readonly scope: Key;
  /** A container is opened without what stands in it, since something inside is started instead. */
  readonly bare?: boolean;
}

/**
 * How one kind of element behaves. A kind is one file that exports one of these; what runs an element asks these
 * questions and not its kind.
 */
export interface ElementBehavior<E extends Element = Element> {
  /** True when tokens wait at its incoming flows until it decides, in `arrive`, to use them up. */
  readonly synchronises?: (incoming: number) => boolean;
  /**
   * A token arrived. True when that is all: the element needs no instance, because it passed the token on (or keeps it
   * waiting). False or absent: an instance starts, as `prepare` says.
   */
  readonly arrive?: (turn: Turn, element: E, scope: Key) => boolean;
  /** A person put a token on it: goes on without those it would wait for. Only for kinds that may wait for some. */
  readonly activate?: (turn: Turn, element: E, scope: Key) => void;
  /**
   * Nothing in its scope can move any more: lets the tokens go on that wait at it, if no other is to be waited for.
   * Only for kinds that the program counts among its joins. True when it did something.
   */
  readonly release?: (turn: Turn, element: E, at: { readonly scope: Key; readonly join: Join }) => boolean;
  /**
   * Whatever can fail before the element is active; a failure is an incident, and resolving it prepares again.
   * Gives what is to happen once the element is active: emit what it waits for, or complete it. Absent for kinds whose
   * `arrive` is always all.
   */
  readonly prepare?: (turn: Turn, visit: Visit<E>, names: Names) => Result<() => void>;
  /**
   * What follows from the result of its job, or why it will not do: then the attempt counts as failed. Absent: the
   * element completes with it.
   */
  readonly answer?: (
    turn: Turn,
    visit: Visit<E>,
    said: { readonly result: JsonObject; readonly actor: Actor },
  ) => Result<() => void>;
  /** The flows it leaves by; absent: all of them, or as the conditions on flows out of an activity say. */
  readonly route?: (turn: Turn, element: E, scope: Key) => Result<readonly Flow[]>;
  /** A timer of its own fired (a boundary event's timer belongs to the activity it stands on). */
  readonly onTimer?: (turn: Turn, visit: Visit<E>, timer: TimerRecord) => void;
  /** What a retry does after such a timer could not be computed again. */
  readonly retryTimer?: (turn: Turn, visit: Visit<E>, error: FailureInfo) => void;
  /** What it waits for happened: a timer, a message, a signal, a condition. Only events, and tasks that are like one. */
  readonly onTrigger?: (turn: Turn, triggered: Triggered<E>) => void;
  /** One of the events that it waited for was triggered (event-based gateways only). */
  readonly onChosen?: (turn: Turn, visit: Visit<E>, triggered: Triggered) => void;
  /** Nothing is left in the scope it opened (containers only). */
  readonly onContentEnded?: (turn: Turn, visit: Visit<E>) => void;
  /** The compensation it asked for is done (throwing events only). */
  readonly onUndone?: (turn: Turn, visit: Visit<E>) => void;
  /** What a retry re-issues after the work it waited for failed for good. */
  readonly retry?: (turn: Turn, visit: Visit<E>) => void;
}

export type Behaviors = {
  readonly [K in ElementKind]: ElementBehavior<Extract<Element, { readonly kind: K }>>;
};
