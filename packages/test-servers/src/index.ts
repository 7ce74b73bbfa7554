export { describeUnless, describeWithServer, type FoundServer, findServer } from "./find-server.ts";
export { freePort } from "./free-port.ts";
export { madeOnce } from "./made-once.ts";
export { type ServerProcess, serverProcess } from "./server-process.ts";
