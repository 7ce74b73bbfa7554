/** Who is asking: whoever the `x-user` header names, or undefined without one. */
export function callerOf(request, users) {
  const id = request.headers["x-user"];
  if (id === undefined) return undefined;
  return users.find(id) ?? users.remember({ id, name: id });
}
