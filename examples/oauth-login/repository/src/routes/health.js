export function health() {
  return { status: 200, body: { status: "up" } };
}
