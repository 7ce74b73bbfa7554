import { expect, test } from "vitest";
import { LiveLines } from "./live.ts";
import { Output } from "./output.ts";
import { jsonSafe, terminalSafe } from "./safe.ts";

const hostile = "a\u001b]0;title\u0007b\u001b[2Jc\u001b[8md\re\u009b31mf\u202eg\u001bh\u001b";

function outputs(options: { readonly json?: boolean; readonly isTTY?: boolean } = {}) {
  const written = { stdout: "", stderr: "" };
  const sink = (name: "stdout" | "stderr") => ({
    isTTY: options.isTTY ?? true,
    write: (text: string) => {
      written[name] += text;
    },
  });
  const shared = { environment: {}, json: options.json ?? false, quiet: false, noColor: false };
  return { out: new Output({ ...shared, stdout: sink("stdout"), stderr: sink("stderr") }), written };
}

test("[C29] no way out carries what steers a terminal, and our own colours stay", () => {
  const { out, written } = outputs();
  out.text(`${out.style.bold("x")} ${hostile}`);
  out.note(hostile);
  out.problem({ code: "c", message: hostile, place: hostile, advice: "a", exit: 1, status: 1, details: {} });
  new LiveLines(out).above(hostile);
  const rest = `${written.stdout}${written.stderr}`.replaceAll(/\u001b\[(?:1|2|22|31|39)m|\u001b\[0J/g, "");
  expect(written.stdout).toBe("\u001b[1mx\u001b[22m abcde31mfgh\n");
  expect(rest).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
});

test("[C29] JSON stays the same document", () => {
  const { out, written } = outputs({ json: true });
  out.document({ hostile });
  expect(JSON.parse(written.stdout)).toEqual({ hostile });
  expect(written.stdout).not.toMatch(/[\u007f-\u009f\u202a-\u202e\u001b]/);
  expect(JSON.parse(jsonSafe(JSON.stringify("\u009b")))).toBe("\u009b");
});

test("[C29] a file is shown without control characters, and written to a pipe as it is", () => {
  const [shown, piped] = [outputs(), outputs({ isTTY: false })];
  for (const { out } of [shown, piped]) out.content("a\r\n\u001b[2Jb\n");
  expect(shown.written.stdout).toBe("a\nb\n");
  expect(piped.written.stdout).toBe("a\r\n\u001b[2Jb\n");
});

test("[C29] a hostile text of a megabyte takes no time", () => {
  const startedAt = performance.now();
  for (const part of ["\u001b[", "\u001b]", "\u001b[0;", "\u001b"]) terminalSafe(part.repeat(500_000));
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
