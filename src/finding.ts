/** `warning`: the bot works, but not in every way. `wrong`: a part of the bot does not work. */
export type FindingState = 'ok' | 'warning' | 'wrong';

/** The result of one check of the doctor. */
export interface Finding {
  /** The name of the check for scripts, for example `discord.token`. It stays the same in later versions. */
  readonly check: string;
  readonly state: FindingState;
  /** One sentence or two: the fact, and what the fact means for the bot. */
  readonly says: string;
  /** How to mend the fault. Given unless the state is `ok`. */
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

/** The worst state of the findings. `ok` if there is no finding. */
export function worstOf(findings: readonly Finding[]): FindingState {
  const states = findings.map(({ state }) => state);
  return states.includes('wrong') ? 'wrong' : states.includes('warning') ? 'warning' : 'ok';
}

/** The first names of a list, and how many names follow. */
export function someOf(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
