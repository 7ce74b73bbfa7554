import type { Program } from "../load.ts";
import type { Driver } from "./driver.ts";

type Mapping = { readonly [element: string]: string };

export function migrate(driver: Driver, to: Program, mapping: Mapping = {}): Driver {
  return driver.send({ type: "migrate-instance", to, mapping, reason: "so" });
}

/** What keeps it from the other program, as codes by element; throws when nothing does. */
export function problemsOf(driver: Driver, to: Program, mapping: Mapping = {}): string[] {
  const refused = driver.try({ type: "migrate-instance", to, mapping, reason: "so" });
  if (refused?.code !== "migration-invalid") throw new Error(`Expected a refusal, but got ${refused?.code}`);
  return (refused.problems ?? []).map(({ code, element }) => `${code} ${element}`);
}
