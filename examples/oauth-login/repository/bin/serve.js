#!/usr/bin/env node
import { createApp } from "../src/app.js";
import { readConfig } from "../src/config.js";

const config = readConfig(process.env);
const server = createApp(config);

server.listen(config.port, config.host, () => {
  console.log(`notes service on http://${config.host}:${server.address().port}`);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => server.close());
}
