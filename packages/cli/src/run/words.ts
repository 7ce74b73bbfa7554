import type { Context } from "../command.ts";
import { stateFolder } from "../state.ts";
import { quote } from "../terminal/text.ts";
import type { Words } from "./report.ts";

/** How the person would type a command here: npm's way within a checkout, the state folder when it is not the usual. */
export function wordsOf({
  out,
  state,
  environment,
  cwd,
}: Pick<Context, "out" | "state" | "environment" | "cwd">): Words {
  const inCheckout = ["demo", "tutti"].includes(environment["npm_lifecycle_event"] ?? "");
  const name = inCheckout ? "npm run tutti --" : "tutti";
  const usual = stateFolder(undefined, environment, cwd).path === state.path;
  const place = usual ? "" : ` --state ${quote(state.path)}`;
  return {
    style: out.style,
    state,
    tutti: (rest) => `${name} ${rest}${rest.endsWith("--help") ? "" : place}`,
  };
}

/** A text that names commands as an installed `tutti` has them, with the commands as the person would type them. */
export function asTyped(text: string, { tutti }: Words): string {
  return text.replace(/`tutti ([^`]+)`/g, (_, rest: string) => `\`${tutti(rest)}\``);
}
