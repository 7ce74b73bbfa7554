export { type StubLogEntry, type StubModel, type StubStep, startStubModel, stubPrompt } from "./stub-model.ts";
