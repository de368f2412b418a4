/** `warning`: the bot works, but with restrictions. `wrong`: a part of the bot does not work. */
export type FindingState = 'ok' | 'warning' | 'wrong';

/** The result of one check of the doctor. */
export interface Finding {
  /** The name of the check for scripts, for example `discord.token`. Later versions do not change the name. */
  readonly check: string;
  readonly state: FindingState;
  /** One or two sentences: the fact, and its meaning for the bot. */
  readonly says: string;
  /** How to repair the problem. Always set if the state is not `ok`. */
  readonly mend?: string;
}

export const ok = (check: string, says: string): Finding => ({ check, state: 'ok', says });
export const warning = (check: string, says: string, mend: string): Finding => ({
  check,
  state: 'warning',
  says,
  mend,
});
export const wrong = (check: string, says: string, mend: string): Finding => ({
  check,
  state: 'wrong',
  says,
  mend,
});

/** The worst state of the findings. `ok` if there are no findings. */
export function worstOf(findings: readonly Finding[]): FindingState {
  const states = findings.map(({ state }) => state);
  return states.includes('wrong') ? 'wrong' : states.includes('warning') ? 'warning' : 'ok';
}

/** The first names of a list, and the number of remaining names. */
export function someOf(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
