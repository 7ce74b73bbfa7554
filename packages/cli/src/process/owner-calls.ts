import type { Views } from "@tutti/engine";
import type { Rollout, RolloutPlan } from "@tutti/kernel";
import { type OwnerClient, remoteReader } from "../owner/client.ts";
import { rowsOf } from "../run/reader.ts";

export function queryAll<V extends keyof Views>(
  client: OwnerClient,
  view: V,
  filter: Views[V]["filter"] = {},
): Promise<readonly Views[V]["row"][]> {
  return rowsOf(remoteReader(client), view, filter);
}

export async function planRollout(
  client: OwnerClient,
  process: string,
  plan: RolloutPlan | null,
): Promise<Rollout | null> {
  const path = `/v1/processes/${encodeURIComponent(process)}/rollout`;
  return (await client.json({ method: "PUT", path, body: { plan } })) as Rollout | null;
}
