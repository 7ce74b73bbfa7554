import type { Rollout } from "@tutti/kernel";
import type { Page, VersionRow, Views } from "../../port.ts";
import { parseCursor } from "../log/cursor.ts";
import type { PageRequest, StoredDeployment, StoreReader, VersionFigures } from "../store.ts";

const nothing: VersionFigures = {
  ...{ started: 0, completed: 0, failed: 0, cancelled: 0, incidents: 0 },
  meanDurationMs: null,
};

/** Every version once, by process, the newest first. The cursor counts rows: versions are only ever added in front. */
export async function listVersions(
  store: StoreReader,
  filter: Views["versions"]["filter"],
  { after, limit }: PageRequest,
): Promise<Page<VersionRow>> {
  const from = after === undefined ? 0 : (parseCursor(after, 1)[0] as number);
  const figures = await store.versionFigures(filter.process);
  const rollouts = new Map((await store.rollouts()).map((each) => [each.process, each]));
  const all = newestFirst(await store.deployments(), filter.process);
  const rows = all.map((version) => ({
    ...version,
    ...shareOf(version, rollouts.get(version.process)),
    ...(figures.get(version.hash) ?? nothing),
  }));
  const next = from + limit < rows.length ? { next: String(from + limit) } : {};
  return { rows: rows.slice(from, from + limit), ...next };
}

type Version = Pick<VersionRow, "process" | "version" | "hash" | "latest">;

function newestFirst(deployments: readonly StoredDeployment[], process: string | undefined): Version[] {
  const versions = new Map<string, Version>();
  const newest = new Set<string>();
  for (const { deployment } of deployments.toReversed()) {
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
