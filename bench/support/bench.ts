/** How far the ratio may go. */
export type Bar = { readonly atMost: number } | { readonly atLeast: number };

export interface Outcome {
  /** Ours against what it is measured against; which way round is the bench's to say. */
  readonly ratio: number;
  /** What else has to be so and was not, a sentence each: any of them makes the bench fall short. */
  readonly wrong?: readonly string[];
}

/** One figure of the documentation: `bench/NAME.ts` exports it as `bench`. */
export interface Bench {
  /** One sentence: what is measured, against what. */
  readonly about: string;
  /** Undefined where the figure is only reported. */
  readonly bar: Bar | undefined;
  /** Measures both sides in this one run, says the figures with `print`, and leaves nothing behind. */
  run(print: (line: string) => void): Promise<Outcome>;
}

/** The last line of a run, and whether it is a good one. */
export function verdict(
  name: string,
  bar: Bar | undefined,
  outcome: Outcome,
): { line: string; holds: boolean } {
  const { ratio, wrong = [] } = outcome;
  const limit = bar && ('atMost' in bar ? bar.atMost : bar.atLeast);
  // Judged as it is, not as it is rounded; and what is no number is no good.
  const within = bar ? ('atMost' in bar ? ratio <= bar.atMost : ratio >= bar.atLeast) : !Number.isNaN(ratio);
  const holds = within && wrong.length === 0;
  return {
    line: `${name}: ratio=${ratio.toFixed(3)} bar=${limit ?? 'none'} ${holds ? 'holds' : 'falls short'}`,
    holds,
  };
}
