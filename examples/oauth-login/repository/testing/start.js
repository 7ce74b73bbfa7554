import { once } from "node:events";
import { createApp } from "../src/app.js";
import { readConfig } from "../src/config.js";

/** Starts the service on a free port; it ends with the test `t`. `call` returns `{ status, headers, body }`. */
export async function start(t, { env = {}, ...parts } = {}) {
  const server = createApp(readConfig(env), parts);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${server.address().port}`;

  async function call(method, path, { headers = {}, body } = {}) {
    const response = await fetch(origin + path, {
      method,
      headers,
      redirect: "manual",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
  }

  return { origin, call };
}
