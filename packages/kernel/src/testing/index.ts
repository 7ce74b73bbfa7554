export { Random } from "./random.ts";
export { randomProgram } from "./random-program.ts";
