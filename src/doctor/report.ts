import { type Finding, type FindingState, worstOf } from '../finding.ts';

const WIDTH = 'warning'.length;
const ORDER: readonly FindingState[] = ['wrong', 'warning', 'ok'];

/** The exit code for scripts: 0 if everything is right, 1 if there are only warnings, 2 if something is wrong. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  return ({ ok: 0, warning: 1, wrong: 2 } as const)[worstOf(findings)];
}

/** One line for each finding, with the worst finding first, and a last line with the number of findings. */
export function reportText(findings: readonly Finding[]): string {
  const lines = ORDER.flatMap((state) => findings.filter((one) => one.state === state)).map(lineOf);
  return `${[...lines, '', summary(findings)].join('\n')}\n`;
}

export function reportJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ state: worstOf(findings), findings }, null, 2)}\n`;
}

export function lineOf({ state, check, says, mend }: Finding): string {
  return `${state.padEnd(WIDTH)}  ${check}: ${[says, mend].filter(Boolean).join(' → ')}`;
}

export function summary(findings: readonly Finding[]): string {
  const count = (state: FindingState) => findings.filter((one) => one.state === state).length;
  return `${count('wrong')} wrong, ${count('warning')} ${count('warning') === 1 ? 'warning' : 'warnings'}, ${count('ok')} ok.`;
}
