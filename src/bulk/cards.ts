import { type Button, type Card, type Node, type Rich, type Steps, textFile } from '../chat/card.ts';
import { counted } from '../chat/facts.ts';
import { COLUMNS, listTable } from '../deployments/list-row.ts';
import type { Change, Item, Order, Target } from './plan.ts';

/** The maximum number of rows on the card. A longer list is added as a file. */
const ROWS = 10;

/** The verb for a change in three forms: at the beginning of a sentence, during the change, and after the change. */
function verbs(change: Change): { readonly todo: string; readonly doing: string; readonly done: string } {
  if (change.kind === 'stop') return { todo: 'Stop', doing: 'Stopping', done: 'Stopped' };
  const { tag } = change;
  return { todo: `Add ${tag} to`, doing: `Adding ${tag} to`, done: `Added ${tag} to` };
}

/** The question that only the person sees. If the person confirms, exactly these deployments are changed. */
export function planQuestion(
  id: string,
  order: Order,
  targets: readonly Target[],
  notes: readonly string[] = [],
): Card {
  const { change, words } = order;
  const title = `${verbs(change).todo} ${counted(targets.length, 'server')}`;
  const isLong = targets.length > ROWS;
  const consequence: Node[] =
    change.kind === 'stop'
      ? [
          {
            kind: 'text',
            text: [{ bold: 'Players on the servers are disconnected. This cannot be undone.' }],
          },
        ]
      : [];
  const text = 'Servers that no longer run or match by then are left out. You have 15 minutes to confirm.';
  return {
    kind: 'card',
    tone: 'warning',
    title: [`${title}?`],
    nodes: [
      ...consequence,
      listTable(targets.slice(0, ROWS)),
      ...(isLong ? [note(`${ROWS} of ${targets.length} are shown. ${fileName(order)} holds all.`)] : []),
      ...notes.map(note),
      note(words ? `Filter: ${words}. ${text}` : text),
      {
        kind: 'buttons',
        buttons: [
          button(order, title, change.kind === 'stop' ? 'danger' : 'primary', 'confirm', id),
          button(order, 'Cancel', 'secondary', 'cancel', id),
        ],
      },
    ],
    ...(isLong
      ? {
          files: [
            textFile(
              fileName(order),
              lines([COLUMNS, ...targets.map(({ cells }) => cells)].map((cells) => cells.join('\t'))),
            ),
          ],
        }
      : {}),
  };
}

/**
 * The card for the channel, which the bot posts before it stores the confirmation of the plan. If the bot crashes
 * between these two steps, this card stays in the channel.
 */
export function planUnbegun(order: Order, count: number): Card {
  const title = [`${verbs(order.change).todo} ${counted(count, 'server')}: not begun yet`];
  const text = ['I am storing the confirmation. This card changes as soon as the plan begins.'];
  return { kind: 'card', tone: 'neutral', title, nodes: [{ kind: 'text', text }, about(order)] };
}

/** The card for the channel during and after the execution of the plan. */
export function planProgress(id: string, order: Order, all: readonly Item[]): Card {
  const inState = (wanted: Item['state']) => all.filter(({ state }) => state === wanted);
  const done = inState('done');
  const leftOut = inState('left-out');
  const failed = inState('failed');
  const isOver = done.length + leftOut.length + failed.length === all.length;
  const { doing, done: verb } = verbs(order.change);
  const servers = counted(all.length, 'server');
  const count = isOver && done.length === all.length ? servers : `${done.length} of ${servers}`;
  const title = [
    `${isOver ? verb : doing} ${count}`,
    ...(leftOut.length > 0 ? [`${leftOut.length} left out`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
  ].join(', ');
  const named = [
    ...section(`Not ${verb.split(' ', 1)[0]?.toLowerCase()}`, failed),
    ...section('Left out', leftOut),
  ];
  if (!isOver) {
    const steps: Steps = {
      kind: 'steps',
      title: 'Progress',
      steps: [
        { title: 'Confirmed', state: 'done' },
        { title: `${doing} ${done.length} of ${all.length}`, state: 'active' },
        { title: 'Finished', state: 'waiting' },
      ],
    };
    return { kind: 'card', tone: 'progress', title: [title], nodes: [steps, ...named, about(order)] };
  }
  const isLong = [done, leftOut, failed].some(({ length }) => length > ROWS);
  const file = fileName(order, '-result');
  const rows = all.map(({ request_id, cells: [, application], state, reason }) =>
    [request_id, application, state, reason].join('\t'),
  );
  const retry = `Retry ${doing.slice(0, 1).toLowerCase()}${doing.slice(1)} ${counted(failed.length, 'server')}`;
  const again = button(order, retry, 'secondary', 'again', id);
  return {
    kind: 'card',
    tone:
      done.length === all.length ? 'success' : done.length > 0 || failed.length === 0 ? 'warning' : 'danger',
    title: [title],
    nodes: [
      ...named,
      ...section(verb, done),
      ...(isLong ? [note(`${file} names every server.`)] : []),
      about(order),
      ...(failed.length > 0 ? [{ kind: 'buttons', buttons: [again] } as const] : []),
    ],
    ...(isLong
      ? { files: [textFile(file, lines(['request_id\tapplication\tresult\treason', ...rows]))] }
      : {}),
  };
}

/**
 * The filter and the name of the person. The person gets no notification, because the person already knows the plan.
 */
function about({ asker, words }: Order): Node {
  const before = words ? `Filter: ${words} · asked for by ` : 'Asked for by ';
  return { kind: 'note', text: [before, { person: asker.id, name: asker.name }] };
}

function section(title: string, items: readonly Item[]): Node[] {
  if (items.length === 0) return [];
  const shown = items
    .slice(0, ROWS)
    .flatMap(
      ({ request_id, cells: [, application = ''], reason }): Rich => [
        `\n${application}${application && ' '}`,
        { code: request_id },
        reason === undefined ? '' : `: ${reason}`,
      ],
    );
  const more = items.length > ROWS ? [`\nand ${items.length - ROWS} more`] : [];
  return [{ kind: 'text', text: [{ bold: `${title} (${items.length})` }, ...shown, ...more] }];
}

function note(text: string): Node {
  return { kind: 'note', text: [text] };
}

function button(
  { command }: Order,
  label: string,
  style: 'primary' | 'secondary' | 'danger',
  action: string,
  arg: string,
): Button {
  return { label, style, action: { command, action, arg } };
}

function fileName({ change }: Order, suffix = ''): string {
  return `${change.kind === 'stop' ? 'bulk-stop' : 'tags-add'}${suffix}.txt`;
}

function lines(rows: readonly string[]): string {
  return `${rows.join('\n')}\n`;
}
