import { durationQuantileMs, noVersionFigures, type Rollout, type VersionFigures } from "@tutti/kernel";
import type { Page, VersionRow, Views } from "../../port.ts";
import { pageOf } from "../read/page.ts";
import type { PageRequest, StoredDeployment, StoreReader } from "../store.ts";
import { broughtAlong } from "./programs.ts";

/** Every version once, by process, the newest first. The cursor counts rows: versions are only ever added in front. */
export async function listVersions(
  store: StoreReader,
  filter: Views["versions"]["filter"],
  page: PageRequest,
): Promise<Page<VersionRow>> {
  const figures = new Map((await store.versionFigures(filter.process)).map((each) => [each.hash, each.figures]));
  const rollouts = new Map((await store.rollouts()).map((each) => [each.process, each]));
  const all = newestFirst(await store.deployments(), filter.process);
  const rows = all.map((version) => ({
    ...version,
    ...shareOf(version, rollouts.get(version.process)),
    ...shownFigures(figures.get(version.hash) ?? noVersionFigures),
  }));
  return pageOf(rows, page);
}

function shownFigures(
  figures: VersionFigures,
): Omit<VersionRow, "process" | "version" | "hash" | "latest" | "percent" | "rolledBack"> {
  const { totalMs, durations: _durations, ...counts } = figures;
  return {
    ...counts,
    meanDurationMs: counts.completed === 0 ? null : totalMs / counts.completed,
    medianDurationMs: durationQuantileMs(figures, 0.5),
    p95DurationMs: durationQuantileMs(figures, 0.95),
  };
}

type Version = Pick<VersionRow, "process" | "version" | "hash" | "latest">;

function newestFirst(deployments: readonly StoredDeployment[], process: string | undefined): Version[] {
  const versions = new Map<string, Version>();
  const newest = new Set<string>();
  for (const { deployment, number } of deployments.toReversed()) {
    if (number === broughtAlong) continue;
    for (const each of deployment.programs) {
      if ((process !== undefined && each.process !== process) || versions.has(each.hash)) continue;
      versions.set(each.hash, { ...each, latest: !newest.has(each.process) });
      newest.add(each.process);
    }
  }
  return [...versions.values()].sort((a, b) => (a.process < b.process ? -1 : a.process > b.process ? 1 : 0));
}

function shareOf(
  { version, latest }: Version,
  rollout: Rollout | undefined,
): Pick<VersionRow, "percent" | "rolledBack"> {
  if (rollout === undefined) return { percent: latest ? 100 : 0, rolledBack: null };
  const { plan, rolledBack } = rollout;
  const candidate = rolledBack === null ? plan.percent : 0;
  if (version === plan.candidate) return { percent: candidate, rolledBack };
  return { percent: version === plan.stable ? 100 - candidate : 0, rolledBack: null };
}
