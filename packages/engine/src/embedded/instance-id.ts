import type { InstanceNumber } from "./store.ts";

/** The id of an instance for which nobody chose one. */
export function madeId(process: string, number: InstanceNumber): string {
  return `${process}-${number}`;
}

const zero = 48;
const hyphen = 45;
/** All numbers of so many digits are exact. */
const digitsMax = 15;

/**
 * The number at the end of an id, 0 for none: ids that are made are found by it, which spares a table of strings. A chosen
 * id may have any.
 */
export function numberIn(instanceId: string): InstanceNumber {
  let number = 0;
  let unit = 1;
  const end = instanceId.length - 1;
  for (let index = end; index >= 0; index--) {
    const code = instanceId.charCodeAt(index);
    if (code === hyphen) return number;
    const digit = code - zero;
    if (digit < 0 || digit > 9 || end - index === digitsMax) return 0;
    number += digit * unit;
    unit *= 10;
  }
  return 0;
}
