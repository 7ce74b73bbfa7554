import { randomUUID } from "node:crypto";
import { markerVariable, type ProcessEnd, startProcess, withoutControls } from "@tutti/agents";
import { isJsonObject, type Job, type JobOutcome } from "@tutti/kernel";
import { parsedJson } from "./object-option.ts";

/** The exit status by which a program throws a BPMN error instead of failing. */
const errorExit = 3;
const wallMsMax = 24 * 3_600_000;
const outputBytesMax = 16 * 1024 * 1024;
const messageCharactersMax = 2_000;

export interface ProgramRequest {
  /** Run by `/bin/sh -c`. */
  readonly command: string;
  readonly cwd: string;
  readonly environment: { readonly [name: string]: string | undefined };
  readonly signal: AbortSignal;
  /** What it says beside its result. */
  onNote(line: string): void;
}

/** Leaders of the process groups that run: a worker that is ended at once takes them along. */
const groups = new Set<number>();
process.once("exit", () => {
  for (const pid of groups) endAtOnce(pid);
});

function endAtOnce(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

/**
 * Does a job by a program: its input comes on stdin as JSON, its result is the JSON object on stdout. Exit status 0 is
 * done; 3 throws the BPMN error `{code, message}` that is on stdout; any other failed, and the last lines of stderr say
 * why. Nothing of it is left when this resolves. Never rejects.
 */
export async function runJobProgram(job: Job, request: ProgramRequest): Promise<JobOutcome> {
  let output = "";
  let leader = 0;
  const running = startProcess({
    launch: {
      file: "/bin/sh",
      args: ["-c", request.command],
      cwd: request.cwd,
      environment: environmentOf(job, request.environment),
    },
    limits: { wallMs: wallMsMax, silenceMs: wallMsMax, outputBytesMax },
    signal: request.signal,
    onSpawn: ({ pid }) => {
      leader = pid;
      groups.add(pid);
    },
    onText: (stream, text) => {
      if (stream === "stdout") output += text;
    },
    onLine: (stream, line) => {
      if (stream === "stderr") request.onNote(withoutControls(line));
    },
  });
  running.write(JSON.stringify(job.input));
  running.closeInput();
  const end = await running.ended;
  groups.delete(leader);
  return outcomeOf(end, output);
}

/** The environment of whoever started the worker, and what the job is. */
function environmentOf(job: Job, own: ProgramRequest["environment"]): { [name: string]: string } {
  const said = Object.entries(own).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return {
    ...Object.fromEntries(said),
    TUTTI_JOB: job.id,
    TUTTI_JOB_TYPE: job.type,
    TUTTI_INSTANCE: job.instanceId,
    TUTTI_ELEMENT: job.elementId,
    TUTTI_ATTEMPT: String(job.attempt),
    TUTTI_FENCING_TOKEN: String(job.fencingToken),
    TUTTI_HEADERS: JSON.stringify(job.headers),
    [markerVariable]: randomUUID(),
  };
}

function outcomeOf(end: ProcessEnd, output: string): JobOutcome {
  const { cause, exit, signal, lastLines } = end;
  const said = lastLines.map(withoutControls).join("\n").slice(-messageCharactersMax);
  if (cause !== "exited")
    return failed("program-stopped", end.reason === "" ? `It was stopped (${cause}).` : end.reason);
  const value = output.trim() === "" ? {} : parsedJson(output);
  if (exit === 0) {
    if (isJsonObject(value)) return { type: "completed", result: value };
    return failed("result-invalid", `Expected a JSON object on stdout, but got ${output.trim().slice(0, 200)}`);
  }
  if (exit === errorExit && isJsonObject(value) && typeof value["code"] === "string" && value["code"] !== "") {
    return { type: "error", code: value["code"], message: String(value["message"] ?? value["code"]) };
  }
  const how = exit === null ? `It was ended by ${signal}` : `It ended with exit status ${exit}`;
  return failed("program-failed", said === "" ? `${how} and said nothing.` : `${how}: ${said}`);
}

function failed(code: string, message: string): JobOutcome {
  return { type: "failed", code, message, retryable: true };
}
