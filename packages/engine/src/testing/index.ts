export { FakeClock } from "./fake-clock.ts";
export { FaultyDisk } from "./faulty-disk.ts";
