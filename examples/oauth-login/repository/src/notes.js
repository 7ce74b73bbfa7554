/** The notes of everybody, in memory. A note belongs to one owner, and only that owner ever sees it. */
export function createNotes() {
  const byOwner = new Map();
  let lastId = 0;

  return {
    /** Newest first. */
    of(owner) {
      return [...(byOwner.get(owner) ?? [])].reverse();
    },

    add(owner, { text, at }) {
      lastId += 1;
      const note = { id: String(lastId), text, at };
      byOwner.set(owner, [...(byOwner.get(owner) ?? []), note]);
      return note;
    },

    /** False when this owner has no such note. */
    remove(owner, id) {
      const before = byOwner.get(owner) ?? [];
      const after = before.filter((note) => note.id !== id);
      byOwner.set(owner, after);
      return after.length < before.length;
    },
  };
}
