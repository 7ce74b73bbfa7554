import { choose } from "../activity/ad-hoc.ts";
import { readChosen } from "../activity/choice.ts";
import { instanceAt } from "../lifecycle.ts";
import type { AdHocSubProcess } from "../program.ts";
import { refusal } from "../turn.ts";
import type { Handlers } from "./instance.ts";

export const adHocHandlers: Handlers<"activate-elements"> = {
  "activate-elements": (turn, { key, elements, complete = false, actor }) => {
    const record = turn.state.adHocs.get(key);
    const expected = `Expected an ad-hoc sub-process ${key} in which elements can be activated`;
    if (record === undefined) return refusal("ad-hoc-not-found", `${expected}, but there is none`);
    const instance = instanceAt(turn, key);
    if (record.closing || record.done || instance.state !== "active") {
      return refusal("ad-hoc-not-found", `${expected}, but it is completing`);
    }
    const adHoc = turn.element(instance.element) as AdHocSubProcess;
    const value = elements.map(({ element, variables }) =>
      variables === undefined ? element : { element, variables },
    );
    const chosen = readChosen(turn.program, adHoc, { value, before: record.chosen.length });
    if (!chosen.ok) {
      const { code, message } = chosen.error;
      return refusal(code === "choice-too-large" ? "limit-exceeded" : "element-not-activatable", message);
    }
    choose(turn, key, { elements: chosen.value, done: complete, actor });
    return undefined;
  },
};
