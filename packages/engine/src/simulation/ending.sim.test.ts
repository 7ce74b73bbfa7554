import { expect, test } from "vitest";
import { testHost } from "../testing/host.ts";
import { receiver } from "../testing/message-programs.ts";
import { checkEnding } from "./ending.ts";
import { JournalMedium } from "./journal-medium.ts";
import { Random } from "./random.ts";
import { Session } from "./session.ts";

test("[S1] the ending sends all who wait for one message one each, however many stand in one line", async () => {
  const documents = [receiver("waiter")];
  const medium = new JournalMedium();
  const world = { documents, host: testHost, correlationKeys: [undefined] };
  const session = new Session({ medium, world, limits: {}, shim: {}, random: new Random(1), trace: undefined });
  await session.ensureOpen();
  if (session.engine !== undefined) session.ask("deploy", session.engine.deploy(documents));
  await session.settle();
  const count = 150;
  for (let number = 1; number <= count; number++) {
    session.start(`r${number}`, { process: "waiter", variables: { key: "a" } });
    await session.settle();
  }
  expect(session.counts.get("starts")).toBe(count);
  const waiting = [...session.ledger.shadows.values()].filter(
    ({ state }) => [...state.subscriptions.values()].length === 1,
  );
  expect(waiting).toHaveLength(count);

  await checkEnding(session);

  expect(session.ledger.violation).toBeUndefined();
  expect(session.counts.get("explained waits") ?? 0).toBe(0);
  medium.dispose();
});
