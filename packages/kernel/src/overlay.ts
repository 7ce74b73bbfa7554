import { assert } from "./problem.ts";
import type { Head, State } from "./state.ts";
import { type Index, MapIndex, MapTable, OverlayIndex, OverlayTable, type Table } from "./table.ts";

function overTable<K, V>(base: Table<K, V>): OverlayTable<K, V> {
  assert(base instanceof MapTable, "an overlay stands on a state, not on another overlay");
  return new OverlayTable<K, V>(base);
}

function overIndex<K, V>(base: Index<K, V>): OverlayIndex<K, V> {
  assert(base instanceof MapIndex, "an overlay stands on a state, not on another overlay");
  return new OverlayIndex<K, V>(base);
}

/** Each part is made when it is first asked for: a decision touches few of them, and there is one overlay a decision. */
class Overlay implements State {
  readonly head: Head;
  readonly #base: State;
  #elements: State["elements"] | undefined;
  #variables: State["variables"] | undefined;
  #waitingFlows: State["waitingFlows"] | undefined;
  #heldFlows: State["heldFlows"] | undefined;
  #jobs: State["jobs"] | undefined;
  #timers: State["timers"] | undefined;
  #tasks: State["tasks"] | undefined;
  #calls: State["calls"] | undefined;
  #incidents: State["incidents"] | undefined;
  #collections: State["collections"] | undefined;
  #items: State["items"] | undefined;
  #itemOf: State["itemOf"] | undefined;
  #lockHolders: State["lockHolders"] | undefined;
  #lockPredecessors: State["lockPredecessors"] | undefined;
  #compensations: State["compensations"] | undefined;
  #compensationRuns: State["compensationRuns"] | undefined;
  #children: State["children"] | undefined;
  #variableNames: State["variableNames"] | undefined;
  #waitingIn: State["waitingIn"] | undefined;
  #heldIn: State["heldIn"] | undefined;
  #timersOf: State["timersOf"] | undefined;
  #incidentsOf: State["incidentsOf"] | undefined;
  #itemsOf: State["itemsOf"] | undefined;
  #ready: State["ready"] | undefined;
  #dependents: State["dependents"] | undefined;
  #lockWaiters: State["lockWaiters"] | undefined;
  #compensationsIn: State["compensationsIn"] | undefined;

  constructor(base: State) {
    this.head = { ...base.head };
    this.#base = base;
  }
  get elements(): State["elements"] {
    this.#elements ??= overTable(this.#base.elements);
    return this.#elements;
  }
  get variables(): State["variables"] {
    this.#variables ??= overTable(this.#base.variables);
    return this.#variables;
  }
  get waitingFlows(): State["waitingFlows"] {
    this.#waitingFlows ??= overTable(this.#base.waitingFlows);
    return this.#waitingFlows;
  }
  get heldFlows(): State["heldFlows"] {
    this.#heldFlows ??= overTable(this.#base.heldFlows);
    return this.#heldFlows;
  }
  get jobs(): State["jobs"] {
    this.#jobs ??= overTable(this.#base.jobs);
    return this.#jobs;
  }
  get timers(): State["timers"] {
    this.#timers ??= overTable(this.#base.timers);
    return this.#timers;
  }
  get tasks(): State["tasks"] {
    this.#tasks ??= overTable(this.#base.tasks);
    return this.#tasks;
  }
  get calls(): State["calls"] {
    this.#calls ??= overTable(this.#base.calls);
    return this.#calls;
  }
  get incidents(): State["incidents"] {
    this.#incidents ??= overTable(this.#base.incidents);
    return this.#incidents;
  }
  get collections(): State["collections"] {
    this.#collections ??= overTable(this.#base.collections);
    return this.#collections;
  }
  get items(): State["items"] {
    this.#items ??= overTable(this.#base.items);
    return this.#items;
  }
  get itemOf(): State["itemOf"] {
    this.#itemOf ??= overTable(this.#base.itemOf);
    return this.#itemOf;
  }
  get lockHolders(): State["lockHolders"] {
    this.#lockHolders ??= overTable(this.#base.lockHolders);
    return this.#lockHolders;
  }
  get lockPredecessors(): State["lockPredecessors"] {
    this.#lockPredecessors ??= overTable(this.#base.lockPredecessors);
    return this.#lockPredecessors;
  }
  get compensations(): State["compensations"] {
    this.#compensations ??= overTable(this.#base.compensations);
    return this.#compensations;
  }
  get compensationRuns(): State["compensationRuns"] {
    this.#compensationRuns ??= overTable(this.#base.compensationRuns);
    return this.#compensationRuns;
  }
  get children(): State["children"] {
    this.#children ??= overIndex(this.#base.children);
    return this.#children;
  }
  get variableNames(): State["variableNames"] {
    this.#variableNames ??= overIndex(this.#base.variableNames);
    return this.#variableNames;
  }
  get waitingIn(): State["waitingIn"] {
    this.#waitingIn ??= overIndex(this.#base.waitingIn);
    return this.#waitingIn;
  }
  get heldIn(): State["heldIn"] {
    this.#heldIn ??= overIndex(this.#base.heldIn);
    return this.#heldIn;
  }
  get timersOf(): State["timersOf"] {
    this.#timersOf ??= overIndex(this.#base.timersOf);
    return this.#timersOf;
  }
  get incidentsOf(): State["incidentsOf"] {
    this.#incidentsOf ??= overIndex(this.#base.incidentsOf);
    return this.#incidentsOf;
  }
  get itemsOf(): State["itemsOf"] {
    this.#itemsOf ??= overIndex(this.#base.itemsOf);
    return this.#itemsOf;
  }
  get ready(): State["ready"] {
    this.#ready ??= overIndex(this.#base.ready);
    return this.#ready;
  }
  get dependents(): State["dependents"] {
    this.#dependents ??= overIndex(this.#base.dependents);
    return this.#dependents;
  }
  get lockWaiters(): State["lockWaiters"] {
    this.#lockWaiters ??= overIndex(this.#base.lockWaiters);
    return this.#lockWaiters;
  }
  get compensationsIn(): State["compensationsIn"] {
    this.#compensationsIn ??= overIndex(this.#base.compensationsIn);
    return this.#compensationsIn;
  }
}

/** A state that starts as `base` and keeps its changes to itself: what a decision works on. */
export function overlay(base: State): State {
  return new Overlay(base);
}
