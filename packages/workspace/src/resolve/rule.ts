/** One file that both sides changed, as text. `base` is empty when both added it. */
export interface TextConflict {
  readonly path: string;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

/** `rule` names what resolved it, `note` says how in one sentence. */
export type RuleResult =
  | { readonly resolved: string; readonly rule: string; readonly note: string }
  | { readonly declined: string };

/** Resolves without asking anybody, or says why it does not. Pure, and blind to which side is called ours. */
export type Rule = (conflict: TextConflict) => RuleResult;

/** The rule, but what is nested or repeated beyond what it can take in time declines instead of holding everything up. */
export function bounded(rule: Rule): Rule {
  return (conflict) => {
    try {
      return rule(conflict);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      return { declined: `it is more than a rule can take: ${cause.message}` };
    }
  };
}
