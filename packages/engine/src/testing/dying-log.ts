import type { Appended, SharedLog } from "../embedded/shared-log.ts";

/** The same log, with which this process ends, killed, the moment that it has a turn of which `isLast` says so. */
export function dyingWith(
  shared: SharedLog,
  isLast: (turn: Appended) => boolean,
  die: () => void = () => process.kill(process.pid, "SIGKILL"),
): SharedLog {
  return {
    ...shared,
    append: async (wanted, decide) => {
      let ends = false;
      await shared.append(wanted, (standing) => {
        const turn = decide(standing);
        ends = isLast(turn);
        return turn;
      });
      if (ends) die();
    },
  };
}
