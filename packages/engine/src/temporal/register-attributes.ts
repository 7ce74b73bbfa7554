import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import type { EngineLog } from "../embedded/turn/pump.ts";
import { attributes } from "./attributes.ts";
import { notDone } from "./connection.ts";

/** INDEXED_VALUE_TYPE_KEYWORD. */
const keyword = 2;
/** A server knows of a new attribute once its parts have looked again. */
const knownWithinMs = 15_000;
const looksEveryMs = 200;

const names = Object.values(attributes).map(({ name }) => name);

/**
 * Whether the namespace has our search attributes; those that are missing are registered. Where that is not allowed, the
 * log says how somebody who may does it.
 */
export async function registerAttributes(client: Client, log: EngineLog | undefined): Promise<boolean> {
  const { namespace } = client.options;
  const { operatorService } = client.connection;
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = names.filter((name) => customAttributes[name] === undefined);
    if (missing.length > 0) {
      const searchAttributes = Object.fromEntries(missing.map((name) => [name, keyword] as const));
      await operatorService.addSearchAttributes({ namespace, searchAttributes });
    }
    await untilKnown(client);
    return true;
  } catch (error) {
    const words = names.map((name) => `--name ${name} --type Keyword`).join(" ");
    log?.warn("instances have no search attributes in Temporal: the namespace has none for them, and takes none", {
      advice: `temporal operator search-attribute create --namespace ${namespace} ${words}`,
      error: String(notDone(error)),
    });
    return false;
  }
}

async function untilKnown(client: Client): Promise<void> {
  const query = names.map((name) => `${name} = ''`).join(" OR ");
  for (const until = Date.now() + knownWithinMs; ; ) {
    try {
      await client.workflow.count(query);
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
    }
    await sleep(looksEveryMs);
  }
}
