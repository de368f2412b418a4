/** The limit for the ratio of a bench. */
export type Bar = { readonly atMost: number } | { readonly atLeast: number };

export interface Outcome {
  /**
   * The ratio of the bot's figure to the other side's figure, or the reverse. Each bench says which figure is divided
   * by which.
   */
  readonly ratio: number;
  /** Other conditions that were not met, each as a sentence. If there are any, the bench fails. */
  readonly wrong?: readonly string[];
}

/** A bench that measures one figure of the documentation. The file `bench/NAME.ts` exports it as `bench`. */
export interface Bench {
  /** A sentence that says which two things are compared. */
  readonly about: string;
  /** Undefined if the figure has no limit. */
  readonly bar: Bar | undefined;
  /**
   * Measures both sides in the same run, and prints the figures with `print`. Removes its files and ends its processes.
   */
  run(print: (line: string) => void): Promise<Outcome>;
}

/** Returns the last line of a run, and whether the ratio is within its limit. */
export function verdict(
  name: string,
  bar: Bar | undefined,
  outcome: Outcome,
): { line: string; holds: boolean } {
  const { ratio, wrong = [] } = outcome;
  const limit = bar && ('atMost' in bar ? bar.atMost : bar.atLeast);
  // The exact ratio is compared, not the rounded ratio. If the ratio is not a number, the bench fails.
  const within = bar ? ('atMost' in bar ? ratio <= bar.atMost : ratio >= bar.atLeast) : !Number.isNaN(ratio);
  const holds = within && wrong.length === 0;
  return {
    line: `${name}: ratio=${ratio.toFixed(3)} bar=${limit ?? 'none'} ${holds ? 'holds' : 'falls short'}`,
    holds,
  };
}
