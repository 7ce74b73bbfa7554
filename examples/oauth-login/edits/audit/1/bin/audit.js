#!/usr/bin/env node
// Prints one's own audit trail: notes-audit http://127.0.0.1:8080 <value of the session cookie>
const [origin, session] = process.argv.slice(2);
if (origin === undefined || session === undefined) {
  console.error("usage: notes-audit <address of the service> <value of the session cookie>");
  process.exit(2);
}

const response = await fetch(new URL("/audit", origin), { headers: { cookie: `session=${session}` } });
const body = await response.json();
if (!response.ok) {
  console.error(body.error);
  process.exit(1);
}
for (const { at, method, path, status } of body.entries) {
  console.log(`${new Date(at).toISOString()}  ${status}  ${method} ${path}`);
}
