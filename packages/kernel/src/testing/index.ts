export { testHost } from "./host.ts";
export { type MemoryArtifacts, memoryArtifacts } from "./memory-artifacts.ts";
export { Random } from "./random.ts";
export { randomProgram } from "./random-program.ts";
