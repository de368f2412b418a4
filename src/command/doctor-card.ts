import type { Card, Field, Node, Tone } from '../chat/card.ts';
import { counted } from '../chat/facts.ts';
import { type Finding, type FindingState, worstOf } from '../finding.ts';

/** The card lists at most this many faults. `npm run doctor` shows all faults. */
const SHOWN = 8;

const faces: Readonly<Record<FindingState, { readonly tone: Tone; readonly title: string }>> = {
  ok: { tone: 'success', title: 'Everything is as it should be' },
  warning: { tone: 'warning', title: 'The bot works, but not in every way' },
  wrong: { tone: 'danger', title: 'Something is wrong' },
};

/**
 * A card with the results of the checks. Each fault has a field of its own. The passed checks are combined in a folded
 * list.
 */
export function doctorCard(findings: readonly Finding[]): Card {
  const of = (state: FindingState) => findings.filter((one) => one.state === state);
  const faults = [...of('wrong'), ...of('warning')];
  const fields = faults.slice(0, SHOWN).map(
    ({ state, check, says, mend = '' }): Field => ({
      label: `${state}: ${check}`,
      value: [`${says} → ${mend}`],
    }),
  );
  const left = faults.length - SHOWN;
  const more = left > 0 ? [`${counted(left, 'more fault')}: npm run doctor shows all of them.`] : [];
  const nodes: Node[] = [
    ...(fields.length > 0 ? [{ kind: 'fields' as const, fields }] : []),
    ...(more.length > 0 ? [{ kind: 'text' as const, text: more }] : []),
    {
      kind: 'code',
      text: of('ok')
        .map(({ check, says }) => `${check}: ${says}`)
        .join('\n'),
      keep: 'start',
      folded: counted(of('ok').length, 'check'),
    },
  ];
  const { tone, title } = faces[worstOf(findings)];
  return { kind: 'card', tone, title: [title], nodes };
}
