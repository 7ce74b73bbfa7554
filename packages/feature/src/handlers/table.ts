import type { JobHandler } from "@tutti/kernel";
import { loadFeaturePrograms } from "../definitions.ts";
import type { FeatureDeps } from "../deps.ts";
import { mergeBisect } from "./merge-bisect.ts";
import { mergeKeep } from "./merge-keep.ts";
import { mergeLand } from "./merge-land.ts";
import { mergeOrder } from "./merge-order.ts";
import { mergeReadmit } from "./merge-readmit.ts";
import { mergeVerify } from "./merge-verify.ts";
import { planHandler } from "./plan.ts";
import { publishHandler } from "./publish.ts";
import { unitApply } from "./unit-apply.ts";
import { unitBase } from "./unit-base.ts";
import { unitDiagnose } from "./unit-diagnose.ts";
import { unitFinish } from "./unit-finish.ts";
import { unitGiveUp } from "./unit-give-up.ts";
import { unitRecall } from "./unit-recall.ts";
import { unitTest } from "./unit-test.ts";

/** One handler per job type that the shipped definitions name. */
export function featureHandlers(deps: FeatureDeps): { readonly [jobType: string]: JobHandler } {
  return {
    "feature.plan": planHandler(deps),
    "feature.publish": publishHandler(deps),
    "unit.base": unitBase(deps),
    "unit.recall": unitRecall(deps),
    "unit.apply": unitApply(deps),
    "unit.test": unitTest(deps),
    "unit.diagnose": unitDiagnose(deps),
    "unit.finish": unitFinish(deps),
    "unit.give-up": unitGiveUp(deps),
    "merge.order": mergeOrder(deps),
    "merge.land": mergeLand(deps),
    "merge.verify": mergeVerify(deps),
    "merge.keep": mergeKeep(deps),
    "merge.bisect": mergeBisect(deps),
    "merge.readmit": mergeReadmit(deps),
  };
}

/** Those of the jobs that any machine can do which has the store of artifacts: no definition gives them a place. */
export async function roamingHandlers(deps: FeatureDeps): Promise<{ readonly [jobType: string]: JobHandler }> {
  const elements = (await loadFeaturePrograms()).flatMap((program) => program.elements);
  const placed = elements.flatMap((element) =>
    element.kind === "service-task" && element.job.headers?.["tutti.place"] !== undefined ? [element.job.type] : [],
  );
  return Object.fromEntries(Object.entries(featureHandlers(deps)).filter(([type]) => !placed.includes(type)));
}
