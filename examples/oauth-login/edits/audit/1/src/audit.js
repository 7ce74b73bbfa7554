/** What was asked of the service, by whom, and how it ended: the last `entriesMax` requests, oldest first. */
export function createAudit({ entriesMax = 1_000 } = {}) {
  const entries = [];

  return {
    /** `entry` is `{ at, method, path, who, status }`; `path` without its query, which may hold secrets. */
    record(entry) {
      entries.push(Object.freeze({ ...entry }));
      if (entries.length > entriesMax) entries.shift();
    },

    entries() {
      return [...entries];
    },
  };
}
