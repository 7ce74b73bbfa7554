import { realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve, sep } from "node:path";
import { z } from "zod";

/** The part of `session/request_permission` that the policy looks at; agents send more, and not always all of it. */
export const permissionRequest: z.ZodType<PermissionRequest> = z.looseObject({
  toolCall: z.looseObject({
    kind: z.string().nullish(),
    title: z.string().nullish(),
    locations: z.array(z.looseObject({ path: z.string() })).nullish(),
    content: z.array(z.looseObject({ path: z.string().optional() })).nullish(),
  }),
  options: z.array(z.looseObject({ optionId: z.string(), kind: z.string() })),
});

export interface PermissionRequest {
  readonly toolCall: {
    readonly kind?: string | null | undefined;
    readonly title?: string | null | undefined;
    readonly locations?: readonly { readonly path: string }[] | null | undefined;
    readonly content?: readonly { readonly path?: string | undefined }[] | null | undefined;
  };
  readonly options: readonly { readonly optionId: string; readonly kind: string }[];
}

export interface PermissionPolicy {
  readonly workspace: string | null;
  readonly scratch: string;
  readonly caged: boolean;
}

/** Kinds of tool calls that change files. What they name decides; unnamed files are only allowed in a cage. */
const changing = new Set(["edit", "delete", "move"]);

/**
 * Answers an agent that asks before it acts: yes to whatever stays in the workspace, no to what leads out of it.
 * Commands are allowed: what they can reach is the cage's business, and without a cage the user's own decision.
 * Gives the id of the chosen option, or undefined when none of them says what must be said.
 */
export async function answerPermission(
  request: PermissionRequest,
  policy: PermissionPolicy,
): Promise<{ readonly allowed: boolean; readonly optionId: string | undefined }> {
  const allowed = await isAllowed(request, policy);
  // Once, not always: every call is looked at.
  const wanted = allowed ? ["allow_once", "allow_always"] : ["reject_once", "reject_always"];
  const options = wanted.flatMap((kind) => request.options.filter((option) => option.kind === kind));
  return { allowed, optionId: options[0]?.optionId };
}

async function isAllowed({ toolCall }: PermissionRequest, policy: PermissionPolicy): Promise<boolean> {
  const paths = [
    ...(toolCall.locations ?? []).map(({ path }) => path),
    ...(toolCall.content ?? []).flatMap(({ path }) => (path === undefined ? [] : [path])),
  ];
  if (paths.length === 0) return policy.caged || !changing.has(toolCall.kind ?? "");
  const roots = [policy.workspace, policy.scratch].filter((root) => root !== null);
  for (const path of paths) {
    if (!(await isInside(path, roots))) return false;
  }
  return true;
}

async function isInside(path: string, roots: readonly string[]): Promise<boolean> {
  const [base] = roots;
  if (base === undefined) return false;
  const real = await realTarget(isAbsolute(path) ? path : resolve(base, path));
  for (const root of roots) {
    const realRoot = await realpath(root);
    if (real === realRoot || real.startsWith(realRoot + sep)) return true;
  }
  return false;
}

/** Where a path leads once links are followed, also when its last parts do not exist yet. */
async function realTarget(path: string): Promise<string> {
  const normal = resolve(path);
  const real = await realpath(normal).catch(() => undefined);
  if (real !== undefined || dirname(normal) === normal) return real ?? normal;
  return join(await realTarget(dirname(normal)), normal.slice(dirname(normal).length).replace(/^\/+/, ""));
}
