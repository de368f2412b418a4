/**
 * Runs two things in turn, A B A B ..., and prints the ratio of their times pair by pair: what else the machine does
 * falls on both alike. Times are milliseconds for one run of `batch` operations.
 */
export async function sideBySide(options: {
  readonly title: string;
  readonly a: { readonly name: string; readonly run: () => Promise<void> };
  readonly b: { readonly name: string; readonly run: () => Promise<void> };
  readonly rounds: number;
  readonly batch: number;
}): Promise<void> {
  const { title, a, b, rounds, batch } = options;
  await a.run();
  await b.run();
  const pairs: { a: number; b: number }[] = [];
  for (let round = 0; round < rounds; round++) pairs.push({ a: await time(a.run), b: await time(b.run) });
  const each = (ms: number) => `${(ms / batch).toFixed(3)} ms each`;
  const ratios = pairs.map((pair) => pair.a / pair.b);
  process.stdout.write(
    `${title}\n  A ${a.name}: median ${each(median(pairs.map((pair) => pair.a)))}\n  B ${b.name}: median ${each(median(pairs.map((pair) => pair.b)))}\n  ratio A/B: median ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}) in ${rounds} rounds of ${batch}\n`,
  );
}

async function time(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
