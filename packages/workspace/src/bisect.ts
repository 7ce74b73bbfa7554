export interface Bisection<T> {
  /** In the order found. Empty: the whole batch was green. */
  readonly culprits: readonly T[];
  /** The rest of the batch in its order; green together. */
  readonly kept: readonly T[];
  /** How often `isGreen` was asked. */
  readonly verifications: number;
}

export interface BisectOptions<T> {
  /** In the order of merging. */
  readonly items: readonly T[];
  /** Verifies the merge of a subset, given in order. The empty subset is taken to be green and never asked. */
  readonly isGreen: (subset: readonly T[]) => Promise<boolean>;
  /** Names a subset's outcome, for example by the id of its merged tree: equal keys are verified once. */
  readonly keyOf?: (subset: readonly T[]) => Promise<string>;
}

/**
 * Finds which items turn a batch red: for each culprit the first whose arrival does, by halving (⌈log₂ n⌉ questions),
 * then one question for what remains. An item that is only red together with an earlier one is the culprit.
 */
export async function bisect<T>(options: BisectOptions<T>): Promise<Bisection<T>> {
  const known = new Map<string, boolean>();
  let verifications = 0;
  const isGreen = async (subset: readonly T[]): Promise<boolean> => {
    if (subset.length === 0) return true;
    const key = await (options.keyOf?.(subset) ??
      Promise.resolve(subset.map((item) => options.items.indexOf(item)).join()));
    const before = known.get(key);
    if (before !== undefined) return before;
    verifications += 1;
    const green = await options.isGreen(subset);
    known.set(key, green);
    return green;
  };
  const culprits: T[] = [];
  let kept = [...options.items];
  let greenPrefix = 0;
  while (!(await isGreen(kept))) {
    // kept[0, green) is green, kept[0, red) is red.
    let green = greenPrefix;
    let red = kept.length;
    while (red - green > 1) {
      const middle = (green + red) >> 1;
      if (await isGreen(kept.slice(0, middle))) green = middle;
      else red = middle;
    }
    culprits.push(kept[red - 1] as T);
    kept = kept.filter((_, i) => i !== red - 1);
    greenPrefix = green;
  }
  return { culprits, kept, verifications };
}
