import { keyFromEnvironment, openArtifactStore } from "@tutti/connect";
import type { TemporalEngineOptions } from "@tutti/engine/temporal";
import { payloadSetting } from "../artifacts.ts";
import type { StateFolder } from "../state.ts";

/** What becomes of payloads on their way to Temporal. */
export interface Payloads {
  readonly codecs: NonNullable<TemporalEngineOptions["payloadCodecs"]>;
  close(): Promise<void>;
}

/** Large ones go into the store of artifacts, and all are encrypted when the environment has TUTTI_PAYLOAD_KEY. */
export async function openPayloads(
  state: StateFolder,
  environment: { readonly [name: string]: string | undefined },
): Promise<Payloads> {
  const { claimCheck, encryption } = await import("@tutti/engine/temporal");
  const key = keyFromEnvironment(environment, "TUTTI_PAYLOAD_KEY");
  const encrypted = key === undefined ? [] : [encryption(key)];
  const setting = payloadSetting(state);
  if (setting === undefined) return { codecs: encrypted, close: async () => undefined };
  const artifacts = await openArtifactStore({ setting, stateDir: state.path, environment });
  return { codecs: [...encrypted, claimCheck({ artifacts })], close: () => artifacts.close() };
}
