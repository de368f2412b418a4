interface Side {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Milliseconds for one run of the batch, and A against B pair by pair; each the median of all rounds. */
export interface SideBySide {
  readonly a: number;
  readonly b: number;
  /** A's time for B's. */
  readonly ratio: number;
}

/**
 * Runs two things in turn, A B A B ..., and compares their times pair by pair: what else the machine does falls on both
 * alike. `batch` is the number of operations in one run, for the figures that are printed.
 */
export async function sideBySide(options: {
  readonly print: (line: string) => void;
  readonly a: Side;
  readonly b: Side;
  readonly rounds: number;
  readonly batch: number;
}): Promise<SideBySide> {
  const { print, a, b, rounds, batch } = options;
  await a.run();
  await b.run();
  const pairs: { a: number; b: number }[] = [];
  for (let round = 0; round < rounds; round++) pairs.push({ a: await time(a.run), b: await time(b.run) });
  const ratios = pairs.map((pair) => pair.a / pair.b);
  const medians = {
    a: median(pairs.map((pair) => pair.a)),
    b: median(pairs.map((pair) => pair.b)),
    ratio: median(ratios),
  };
  const each = (ms: number) =>
    `${(ms / batch).toFixed(3)} ms each, ${Math.round((batch / ms) * 1000)} a second`;
  print(`A ${a.name}: median ${each(medians.a)}`);
  print(`B ${b.name}: median ${each(medians.b)}`);
  print(
    `time A/B: median ${medians.ratio.toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}) in ${rounds} rounds of ${batch}`,
  );
  return medians;
}

async function time(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
