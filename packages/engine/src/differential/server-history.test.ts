import { expect, test } from "vitest";
import type { JobOrder } from "../temporal/contract.ts";
import { type Path, rootOf, walk } from "./path.ts";
import { type Asked, unlike } from "./server-history.ts";
import type { Shadow } from "./shadows.ts";

/** The first path whose instance has had a job and a child. */
async function pathWithChild(): Promise<{ readonly path: Path; readonly shadow: Shadow }> {
  for (let seed = 1; ; seed++) {
    const path = await walk(seed);
    const shadow = path.shadows.get(rootOf(seed));
    if (path.shadows.size > 1 && shadow !== undefined && shadow.offered.size > 0) return { path, shadow };
  }
}

/** As a server would be asked that is asked for just what the kernel demands. */
function asWanted({ demands, state }: Shadow, deployed: ReadonlySet<string>): Asked {
  const activities: Asked["activities"][number][] = [];
  const children: Asked["children"][number][] = [];
  const timers: number[] = [];
  for (const effect of demands) {
    if (effect.type === "arm-timer") timers.push(effect.due);
    if (effect.type === "start-child" && deployed.has(effect.process)) {
      children.push({ id: effect.childId, type: effect.process, survives: true });
    }
    if (effect.type !== "offer-job") continue;
    const { element, jobType, queue, timeoutMs = null, ...job } = effect;
    const order = { ...job, queue, elementId: element, timeoutMs } as unknown as JobOrder;
    activities.push({ id: `${element}/${activities.length}`, type: jobType, queue: `tutti-${queue}`, order });
  }
  const pending = [...state.timers.values()].map(({ due }) => due).sort((a, b) => a - b);
  return { executions: 1, activities, children, timers, pending: pending.slice(0, 1), pendingMax: 1 };
}

test("[TE61] what a server is asked too little, too much or otherwise is found", async () => {
  const { path, shadow } = await pathWithChild();
  const deployed = new Set(path.documents.map(({ id }) => id));
  const now = shadow.state.head.at;
  const asked = asWanted(shadow, deployed);
  const told = (changed: Partial<Asked>): string | undefined =>
    unlike({ ...asked, ...changed }, shadow, { deployed, now });
  expect(told({})).toBeUndefined();
  const [activity] = asked.activities as [Asked["activities"][number]];
  const [child] = asked.children as [Asked["children"][number]];
  const order = { ...activity.order, key: 999 };
  expect(told({ activities: [] })).toMatch(/^no activity for job/);
  expect(told({ activities: [...asked.activities, activity] })).toMatch(/^two activities/);
  expect(told({ activities: [...asked.activities, { ...activity, id: "x", order }] })).toMatch(
    /which nothing demands$/,
  );
  expect(told({ activities: [{ ...activity, type: "other" }] })).toMatch(/^an activity .* with/);
  expect(told({ activities: [{ ...activity, queue: "tutti-other" }] })).toMatch(/on 'tutti-other'/);
  expect(told({ children: [] })).toMatch(/^no child/);
  expect(told({ children: [...asked.children, child] })).toMatch(/which nothing demands$/);
  expect(told({ children: [{ ...child, survives: false }] })).toMatch(/ends with its caller/);
  expect(told({ timers: [...asked.timers, 5] })).toBe("a timer for 5, which nothing demands");
  expect(told({ pendingMax: 2 })).toBe("2 timers at once");
});

test("[TE61] a timer that the server was not asked for is missed", async () => {
  for (let seed = 1; ; seed++) {
    const { documents, shadows } = await walk(seed);
    const shadow = shadows.get(rootOf(seed));
    const due = [...(shadow?.state.timers.values() ?? [])].map((timer) => timer.due).sort((a, b) => a - b)[0];
    if (shadow === undefined || due === undefined || !shadow.isOpen) continue;
    const deployed = new Set(documents.map(({ id }) => id));
    const asked = asWanted(shadow, deployed);
    const at = { deployed, now: due - 1 };
    expect(unlike(asked, shadow, at)).toBeUndefined();
    expect(unlike({ ...asked, pending: [due + 1] }, shadow, at)).toBe(`no timer for ${due}`);
    return;
  }
});
