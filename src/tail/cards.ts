import { type Card, type Node, type Rich, textFile } from '../chat/card.ts';
import { counted } from '../chat/facts.ts';
import { excerpt } from '../log/excerpt.ts';
import { allSeen, type Follow, type FollowOrder } from './follow.ts';

/** The card while the bot follows the log. */
export function followCard(follow: FollowOrder & Partial<Follow>): Card {
  const { request_id, until, problem } = follow;
  const note = [...byWhom(follow), ' · ends ', { time: until, style: 'until' } as const];
  return {
    kind: 'card',
    tone: 'progress',
    title: ['Following the log of ', { code: request_id }],
    nodes: [
      lines(follow, 'No new line has come yet.', 'The new lines appear in the thread.'),
      ...(problem ? [{ kind: 'note', text: [`${problem} I keep trying.`] } as const] : []),
      { kind: 'note', text: note },
      {
        kind: 'buttons',
        buttons: [
          {
            label: 'Stop following',
            style: 'secondary',
            action: { command: 'logs', action: 'unfollow', arg: request_id },
          },
        ],
      },
    ],
  };
}

/** The card after the bot has stopped following the log. It gives the reason and contains the lines as a file. */
export function followedCard(follow: Follow, reason: string): Card {
  const { request_id, count, isCut } = follow;
  const text = allSeen(follow);
  const file = `${request_id}-followed.log`;
  const part = isCut ? 'The newest lines' : 'All lines that were shown';
  return {
    kind: 'card',
    tone: 'neutral',
    title: [
      'Followed the log of ',
      { code: request_id },
      `, ${counted(count + (follow.open ? 1 : 0), 'line')}`,
    ],
    nodes: [
      lines(follow, 'No new line came.', 'The lines are in the thread.'),
      { kind: 'text', text: [reason] },
      ...(text ? [{ kind: 'note', text: [`${part} are in ${file}.`] } as const] : []),
      { kind: 'note', text: byWhom(follow) },
    ],
    ...(text ? { files: [textFile(file, `${text}\n`)] } : {}),
  };
}

function lines(follow: Partial<Follow>, otherwise: string, elsewhere: string): Node {
  if (follow.stream?.message) return { kind: 'text', text: [elsewhere] };
  const text = allSeen({ open: '', ...follow });
  if (text === '') return { kind: 'text', text: [otherwise] };
  return { kind: 'code', text: excerpt(text), keep: 'end' };
}

function byWhom({ asker, source, invert }: FollowOrder): Rich {
  const pattern =
    source === undefined ? [] : [`Only lines ${invert ? 'without' : 'with'} `, { code: source }, ' · '];
  return [
    ...pattern,
    pattern.length === 0 ? 'Asked for by ' : 'asked for by ',
    { person: asker.id, name: asker.name },
  ];
}
