import { compileYaml } from "@tutti/definition";
import type { JsonObject, ProgramDocument } from "@tutti/kernel";
import type { Answers } from "../answers.ts";
import { openTrial, type Trial, type TrialOptions } from "../trial.ts";
import type { TrialInstance } from "../trial-instance.ts";

/** The programs of a YAML text without errors. */
export function programsOf(text: string): readonly ProgramDocument[] {
  const { programs, problems } = compileYaml(text, { file: "test.yaml" });
  if (programs.length === 0) throw new Error(`Expected programs, but found ${JSON.stringify(problems)}`);
  return programs;
}

/** charge, then a person decides within a week, then a mail. */
export const orderText = `
process: order
variables: { amount: { type: integer, initial: 10 }, receipt: string, approved: boolean, why: string }
outputs: [receipt]
steps:
  charge:
    job: payment.charge
    in: { amount: = amount }
    out: [receipt]
    retry: 3
    on: { error: { declined: { then: apologise, out: { why: = error.message } } } }
  approve:
    user: { title: "Approve \${amount}?", assignee: manager }
    in: [amount]
    out: [approved]
    on: { timer: { after: 7d, then: apologise } }
  decide:
    choose:
      - { when: approved == true, then: send }
      - otherwise: apologise
  send: { job: mail.send, then: end }
  apologise: { job: mail.send, in: { why: = why }, then: end }
`;

export const order: readonly ProgramDocument[] = programsOf(orderText);

/** One job per entry of `names`, at the same time; what each gives as `text` is collected. */
export const each: readonly ProgramDocument[] = programsOf(`
process: each
variables: { names: { type: list, required: true }, texts: list }
outputs: [texts]
steps:
  greet:
    job: greet
    in: { name: = item }
    out: [text]
    forEach: { collection: = names, output: { texts: = text } }
`);

/** Opens a trial and starts its process. */
export async function begin(
  programs: readonly ProgramDocument[],
  answers: Answers["answers"],
  options: Partial<TrialOptions> & { readonly variables?: JsonObject } = {},
): Promise<{ readonly trial: Trial; readonly instance: TrialInstance }> {
  const { variables = {}, ...rest } = options;
  const trial = await openTrial({ programs, answers: { answers }, ...rest });
  return { trial, instance: await trial.start({ variables }) };
}
