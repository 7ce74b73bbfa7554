import { AppError, type InstanceView } from "@tutti/kernel";

/** The one open instance of an element: by its number, or by the element where there is no other. */
export function activeKey({ instanceId, elements }: InstanceView, text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  const keys = elements.filter(({ element }) => element === text).map(({ key }) => key);
  const [key, ...others] = keys;
  if (key !== undefined && others.length === 0) return key;
  const found = key === undefined ? "it is not active" : `there are ${keys.join(", ")}: name one by its number`;
  throw new AppError("option-invalid", `Expected one active '${text}' in ${instanceId}, but ${found}`);
}
