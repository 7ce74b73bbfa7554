/** What a script wants done, whatever the agent calls its tools. Paths are relative to the workspace. */
export type AbstractStep =
  | { readonly write: { readonly path: string; readonly content: string } }
  | { readonly edit: { readonly path: string; readonly old: string; readonly new: string } }
  | { readonly shell: string };

export interface OfferedTool {
  readonly name: string;
  readonly parameters?: JsonSchema;
}

interface JsonSchema {
  readonly type?: string;
  readonly properties?: { readonly [name: string]: JsonSchema };
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
}

/** How agents name the same thing; the first pattern that fits a property gets the value. */
type Values = readonly (readonly [pattern: RegExp, value: string])[];

const names = {
  write: /^(write|write_file|create_file|create|writefile|write_to_file)$/i,
  edit: /^(edit|edit_file|replace|str_replace|replace_in_file|apply_edit)$/i,
  shell: /^(bash|shell|run_shell_command|execute|exec|exec_command|run_command|terminal)$/i,
};

/** The call of an offered tool that does the step, its arguments built from the tool's own JSON schema. */
export function toolCallFor(
  step: AbstractStep,
  tools: readonly OfferedTool[],
): { readonly name: string; readonly arguments: object } {
  const [kind, values] = wishOf(step);
  const tool = tools.find(({ name }) => names[kind].test(name));
  if (tool === undefined) {
    throw new Error(`no tool for '${kind}' among ${tools.map(({ name }) => name).join(", ") || "none"}`);
  }
  return { name: tool.name, arguments: fill(tool.parameters ?? {}, values) };
}

function wishOf(step: AbstractStep): readonly [keyof typeof names, Values] {
  if ("write" in step)
    return ["write", [pathValue(step.write.path), [/^(content|contents|text|file_text)$/i, step.write.content]]];
  if ("shell" in step)
    return [
      "shell",
      [
        [/^(command|cmd|script)$/i, step.shell],
        [/^description$/i, "scripted"],
      ],
    ];
  const before = /^(old|old_?(string|text|str)|find|search)$/i;
  const after = /^(new|new_?(string|text|str)|replace|replacement)$/i;
  return ["edit", [pathValue(step.edit.path), [before, step.edit.old], [after, step.edit.new]]];
}

function pathValue(path: string): Values[number] {
  return [/^(path|file|file_?path|filename|target_file)$/i, path];
}

function fill(schema: JsonSchema, values: Values): { readonly [name: string]: unknown } {
  const filled: { [name: string]: unknown } = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const value = values.find(([pattern]) => pattern.test(name))?.[1];
    if (value !== undefined) filled[name] = value;
    else if (property.type === "array" && property.items?.properties !== undefined) {
      // Several edits in one call: a list with the one edit that is wanted.
      const item = fill(property.items, values);
      if (Object.keys(item).length > 0) filled[name] = [item];
    }
  }
  return filled;
}
