import { type ConflictMatrix, type ConflictPair, createConflictMatrix, type Repository } from "@tutti/workspace";

/**
 * Measured conflicts of each run, kept between its jobs so that a finished unit costs one comparison with the others
 * and not all of them anew. After a restart it fills itself again from the commits it is asked about.
 */
export interface ConflictBook {
  /** The pairs among `commits` (by unit) that do not merge by themselves. */
  measure(repository: Repository, request: ConflictRequest): Promise<readonly ConflictPair[]>;
}

export interface ConflictRequest {
  readonly run: string;
  readonly base: string;
  readonly commits: ReadonlyMap<string, string>;
}

interface Page {
  readonly matrix: ConflictMatrix;
  readonly known: Map<string, string>;
  /** A matrix takes one call at a time. */
  last: Promise<unknown>;
}

const runsMax = 16;

export function createConflictBook(): ConflictBook {
  const pages = new Map<string, Page>();

  function pageOf(repository: Repository, { run, base }: ConflictRequest): Page {
    const name = `${repository.gitDir}\0${run}`;
    const page = pages.get(name) ?? {
      matrix: createConflictMatrix(repository, { base }),
      known: new Map<string, string>(),
      last: Promise.resolve(),
    };
    pages.delete(name);
    pages.set(name, page);
    const oldest = pages.keys().next().value;
    if (pages.size > runsMax && oldest !== undefined) pages.delete(oldest);
    return page;
  }

  async function add(page: Page, commits: ReadonlyMap<string, string>): Promise<readonly ConflictPair[]> {
    const fresh = new Map([...commits].filter(([key, commit]) => page.known.get(key) !== commit));
    // What fails half-way is measured again next time.
    for (const key of fresh.keys()) page.known.delete(key);
    if (fresh.size > 0) await page.matrix.addAll(fresh);
    for (const [key, commit] of fresh) page.known.set(key, commit);
    return page.matrix.pairs().filter(({ a, b }) => commits.has(a) && commits.has(b));
  }

  return {
    measure(repository, request) {
      const page = pageOf(repository, request);
      const answer = page.last.then(() => add(page, request.commits));
      page.last = answer.catch(() => undefined);
      return answer;
    },
  };
}
