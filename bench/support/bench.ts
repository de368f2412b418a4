/** The limit of the ratio. */
export type Bar = { readonly atMost: number } | { readonly atLeast: number };

export interface Outcome {
  /**
   * The figure of the bot compared with the figure of the other side. Each bench says which figure is divided by which.
   */
  readonly ratio: number;
  /** Other conditions that were not met, each as a sentence. If there is such a condition, the bench falls short. */
  readonly wrong?: readonly string[];
}

/** One figure of the documentation. The file `bench/NAME.ts` exports the figure as `bench`. */
export interface Bench {
  /** One sentence that says which two things are compared. */
  readonly about: string;
  /** Undefined if the figure is only reported. */
  readonly bar: Bar | undefined;
  /** Measures both sides in the same run, prints the figures with `print`, and leaves no files or processes behind. */
  run(print: (line: string) => void): Promise<Outcome>;
}

/** The last line of a run, and whether the ratio is within its limit. */
export function verdict(
  name: string,
  bar: Bar | undefined,
  outcome: Outcome,
): { line: string; holds: boolean } {
  const { ratio, wrong = [] } = outcome;
  const limit = bar && ('atMost' in bar ? bar.atMost : bar.atLeast);
  // The exact ratio is compared, not the rounded ratio. If the ratio is not a number, the bench falls short.
  const within = bar ? ('atMost' in bar ? ratio <= bar.atMost : ratio >= bar.atLeast) : !Number.isNaN(ratio);
  const holds = within && wrong.length === 0;
  return {
    line: `${name}: ratio=${ratio.toFixed(3)} bar=${limit ?? 'none'} ${holds ? 'holds' : 'falls short'}`,
    holds,
  };
}
