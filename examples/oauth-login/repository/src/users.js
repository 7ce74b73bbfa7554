/** The people that the service knows, in memory. */
export function createUsers() {
  const byId = new Map();

  return {
    find(id) {
      return byId.get(id);
    },

    /** Adds a person, or brings the name of a known one up to date. */
    remember({ id, name }) {
      const user = Object.freeze({ id, name });
      byId.set(id, user);
      return user;
    },
  };
}
