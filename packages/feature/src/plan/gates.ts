import { findCycle } from "@tutti/kernel";
import type { Plan, PlanUnit } from "../model.ts";
import { locksOf } from "./locks.ts";
import { UnitOrder } from "./order.ts";
import { globsOverlap, matchesAny, pathProblem } from "./overlap.ts";
import { type PlanPlace, type PlanProblem, PlanProblems } from "./problem.ts";
import type { PlanDraft, UnitDraft } from "./schema.ts";

export interface Gates {
  /** The plan with its locks; absent when there are errors. */
  readonly plan?: Plan;
  readonly problems: readonly PlanProblem[];
}

interface Facts {
  /** Every path of the tree the run starts from. */
  readonly files: readonly string[];
  readonly place: PlanPlace;
}

type Gate = (plan: PlanDraft, problems: PlanProblems, facts: Facts) => void;

const uniqueIds: Gate = (plan, problems) => {
  // Ids name folders and refs, and some file systems do not tell the case of letters apart.
  const seen = new Map<string, string>();
  plan.units.forEach(({ id }, index) => {
    const other = seen.get(id.toLowerCase());
    const what = other === id ? "another" : `'${other}', which differs in case only`;
    if (other !== undefined)
      problems.error("plan-duplicate-unit", ["units", index, "id"], `Expected one unit '${id}', but there is ${what}`);
    seen.set(id.toLowerCase(), id);
  });
};

const knownDependencies: Gate = (plan, problems) => {
  const ids = new Set(plan.units.map(({ id }) => id));
  plan.units.forEach((unit, index) => {
    unit.dependsOn.forEach((dependency, at) => {
      const path = ["units", index, "dependsOn", at];
      if (dependency === unit.id)
        problems.error("plan-cycle", path, `Expected '${unit.id}' to depend on others, but ${unit.id} → ${unit.id}`);
      else if (!ids.has(dependency))
        problems.error(
          "plan-unknown-dependency",
          path,
          `Expected '${unit.id}' to depend on a unit of this plan, but there is no '${dependency}'`,
        );
    });
  });
};

const noCycle: Gate = (plan, problems) => {
  const dependencies = new Map(plan.units.map((unit) => [unit.id, unit.dependsOn.filter((id) => id !== unit.id)]));
  const cycle = findCycle([...dependencies.keys()], (id) => dependencies.get(id) ?? []);
  if (cycle === undefined) return;
  const index = plan.units.findIndex(({ id }) => id === cycle[0]);
  problems.error(
    "plan-cycle",
    ["units", index, "dependsOn"],
    `Expected dependencies without a cycle, but ${cycle.join(" → ")}`,
  );
};

const requirementsCovered: Gate = (plan, problems) => {
  const known = new Set(plan.requirements.map(({ id }) => id));
  const served = new Set<string>();
  plan.units.forEach((unit, index) => {
    unit.requirements.forEach((requirement, at) => {
      served.add(requirement);
      if (known.has(requirement)) return;
      const path = ["units", index, "requirements", at];
      problems.error(
        "plan-unknown-requirement",
        path,
        `Expected '${unit.id}' to serve a requirement of this plan, but there is no '${requirement}'`,
      );
    });
  });
  plan.requirements.forEach(({ id }, index) => {
    if (served.has(id)) return;
    problems.error(
      "plan-uncovered-requirement",
      ["requirements", index],
      `Expected a unit for requirement '${id}', but none names it`,
    );
  });
};

/** A unit whose completion nothing can show would end on its agent's word. */
const executableChecks: Gate = (plan, problems) => {
  plan.units.forEach((unit, index) => {
    const hasCheck = unit.verify.length > 0 || unit.acceptance.some((criterion) => criterion.check !== undefined);
    if (!hasCheck)
      problems.error(
        "plan-no-check",
        ["units", index],
        `Expected '${unit.id}' to have a command that shows it is done, but it has none`,
      );
  });
};

const pathsInside: Gate = (plan, problems, { files }) => {
  const existing = new Set(files);
  plan.units.forEach((unit, index) => {
    let claimed = 0;
    for (const list of ["owns", "may", "creates"] as const) {
      unit.touches[list].forEach((pattern, at) => {
        claimed += 1;
        const path = ["units", index, "touches", list, at];
        const why = pathProblem(pattern);
        if (why !== undefined)
          problems.error("plan-path", path, `Expected a path inside the repository, but '${pattern}': ${why}`);
        else if (list === "creates" && existing.has(pattern))
          problems.warn("plan-creates-existing", path, `Expected '${pattern}' to be new, but it is there`);
      });
    }
    if (claimed === 0)
      problems.error(
        "plan-claims-nothing",
        ["units", index],
        `Expected '${unit.id}' to claim what it writes, but it claims nothing`,
      );
  });
};

const stepsInside: Gate = (plan, problems) => {
  const check = (patterns: readonly string[], place: readonly (string | number)[]): void => {
    patterns.forEach((pattern, at) => {
      const why = pathProblem(pattern);
      if (why === undefined) return;
      problems.error("plan-path", [...place, at], `Expected a path inside the repository, but '${pattern}': ${why}`);
    });
  };
  plan.regenerate.forEach(({ paths }, index) => {
    check(paths, ["regenerate", index, "paths"]);
  });
  plan.prepare.forEach(({ inputs, outputs }, index) => {
    check(inputs, ["prepare", index, "inputs"]);
    check(outputs, ["prepare", index, "outputs"]);
  });
};

const claimsMatch: Gate = (plan, problems, { files }) => {
  const created = plan.units
    .flatMap(({ touches }) => touches.creates)
    .filter((path) => pathProblem(path) === undefined);
  plan.units.forEach((unit, index) => {
    for (const list of ["owns", "may"] as const) {
      unit.touches[list].forEach((pattern, at) => {
        // What is refused already is not matched: it may be made to take for ever.
        if (pathProblem(pattern) !== undefined) return;
        if (matchesAny(pattern, files) || created.some((path) => globsOverlap(path, pattern))) return;
        problems.warn(
          "plan-claim-empty",
          ["units", index, "touches", list, at],
          `Expected '${pattern}' to match a file, but nothing is there and no unit creates it`,
        );
      });
    }
  });
};

const createdOnce: Gate = (plan, problems) => {
  const creators = new Map<string, string>();
  plan.units.forEach((unit, index) => {
    unit.touches.creates.forEach((path, at) => {
      const other = creators.get(path);
      if (other !== undefined && other !== unit.id) {
        problems.error(
          "plan-creates-twice",
          ["units", index, "touches", "creates", at],
          `Expected one unit to create '${path}', but '${other}' and '${unit.id}' both do`,
        );
      }
      creators.set(path, unit.id);
    });
  });
};

const needsMet: Gate = (plan, problems) => {
  const order = new UnitOrder(plan.units);
  const providers = new Map(plan.units.flatMap((unit) => unit.provides.map((name) => [name, unit.id] as const)));
  plan.units.forEach((unit, index) => {
    unit.needs.forEach((need, at) => {
      const provider = providers.get(need);
      if (provider === undefined || provider === unit.id || order.areOrdered(provider, unit.id)) return;
      problems.error(
        "plan-unmet-need",
        ["units", index, "needs", at],
        `Expected '${unit.id}' to depend on '${provider}', which provides '${need}', but it does not`,
      );
    });
  });
};

const hotFiles: Gate = (plan, problems) => {
  const writers = new Map<string, number[]>();
  plan.units.forEach((unit, index) => {
    for (const path of unit.touches.may) writers.set(path, [...(writers.get(path) ?? []), index]);
  });
  for (const [path, [first, ...others]] of writers) {
    if (first === undefined || others.length < 5) continue;
    problems.warn(
      "plan-hot-file",
      ["units", first, "touches", "may"],
      `Expected few units to share a file, but ${others.length + 1} may write '${path}'`,
    );
  }
};

const sizes: Gate = (plan, problems) => {
  plan.units.forEach((unit, index) => {
    if (unit.size === "large")
      problems.warn("plan-large-unit", ["units", index, "size"], `Expected small units, but '${unit.id}' is large`);
  });
  const width = new UnitOrder(plan.units).width();
  if (plan.units.length > 1 && width < 2) {
    problems.warn(
      "plan-not-parallel",
      ["units"],
      "Expected units that can run side by side, but each waits for another",
    );
  }
};

const gates: readonly Gate[] = [
  uniqueIds,
  knownDependencies,
  noCycle,
  requirementsCovered,
  executableChecks,
  pathsInside,
  stepsInside,
  claimsMatch,
  createdOnce,
  needsMet,
  hotFiles,
  sizes,
];

/** Everything that can be known about a plan before an agent has run. Reports all of it at once. */
export function checkPlan(draft: PlanDraft, facts: Facts): Gates {
  const problems = new PlanProblems(facts.place);
  for (const gate of gates) gate(draft, problems, facts);
  if (problems.hasErrors) return { problems: problems.list };
  const locks = locksOf(draft.units);
  return { plan: { ...draft, units: draft.units.map((unit) => finish(unit, locks)) }, problems: problems.list };
}

/** What a unit must pass: its own commands, then the checks of its acceptance criteria that are not among them. */
function finish(unit: UnitDraft, locks: ReadonlyMap<string, readonly string[]>): PlanUnit {
  const checks = unit.acceptance.flatMap((criterion) => criterion.check ?? []);
  return { ...unit, verify: [...new Set([...unit.verify, ...checks])], locks: locks.get(unit.id) ?? [] };
}
