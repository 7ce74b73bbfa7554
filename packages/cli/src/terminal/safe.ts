// Texts of agents, repositories and files reach the terminal by many ways; whatever was missed before is stopped here.
// Our own colours pass: they are the only sequences that `style.ts` makes.

const allowed = /^\u001b\[(?:1|2|22|3[1-4]|39)m$/;
const sequence = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])?/g;
// Tab and line break stay; bidirectional overrides go, for they reorder what is read.
const control = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The text without what could steer a terminal or reorder what is read on it. */
export function terminalSafe(text: string): string {
  return text.replace(sequence, (found) => (allowed.test(found) ? found : "")).replace(control, "");
}

/** The same JSON text: such characters stand only within strings, where they can be written as escapes. */
export function jsonSafe(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
