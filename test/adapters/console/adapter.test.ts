import { describe, expect, test } from 'vitest';
import { textFile } from '../../../src/chat/card.ts';
import type { Invocation } from '../../../src/chat/port.ts';
import { DeliveryError } from '../../../src/errors.ts';
import { inboxOf } from '../../support/inbox.ts';
import { turn } from '../../support/test-clock.ts';
import { card, cardWithButtons, NOON } from './fixtures.ts';
import { openConsole } from './harness.ts';

const here = { platform: 'console', workspace: 'local', channel: 'terminal' };

function titled(title: string) {
  return card({ title: [title] });
}

describe('a console invocation', () => {
  async function run(handle: (invocation: Invocation) => Promise<void>, lines: string) {
    const opened = openConsole();
    await opened.chat.start(inboxOf(handle));
    opened.input.end(lines);
    await opened.chat.finished;
    return opened;
  }

  test('an invocation from the terminal names the operator and the channel, and contains the text after the command', async () => {
    const seen: Invocation[] = [];
    await run(async (invocation) => void seen.push(invocation), '/edgegap deploy kart “v 1”\ndeploy\n');
    expect(seen.map(({ request }) => request)).toEqual([
      { kind: 'command', command: 'deploy', args: { kind: 'text', text: 'kart “v 1”' } },
      { kind: 'command', command: 'deploy', args: { kind: 'text', text: '' } },
    ]);
    expect(seen[0]?.at).toEqual(here);
    expect(await seen[0]?.person('fresh')).toEqual({
      id: 'operator',
      name: 'you',
      home: true,
      guest: false,
      admin: true,
      groups: ['operators'],
    });
    expect(seen[0]?.id).not.toBe(seen[1]?.id);
  });

  test('a refusal in the terminal is private and contains the note "only you see this"', async () => {
    const { printed, chat } = await run((invocation) => invocation.refuse(titled('No')), 'stop\n');
    expect(printed()).toBe('› stop\n╭─ • No  (only you see this)\n╰─\n');
    expect(chat.messages()[0]?.private).toBe(true);
  });

  test('in the terminal, a second answer replaces the first answer, and an equal second answer is not printed', async () => {
    const { printed, chat } = await run(async (invocation) => {
      await invocation.acknowledge('public');
      await invocation.respond(titled('Working'));
      await invocation.respond(titled('Working'));
      await invocation.respond(titled('Done'));
    }, 'stop\n');
    expect(printed()).toBe('› stop\n╭─ • Working\n╰─\n\n╭─ • Done  (edited)\n╰─\n');
    expect(chat.messages()).toHaveLength(1);
    expect(chat.messages()[0]?.edits).toBe(1);
  });

  test('in the terminal, a card that a command posts as the answer can be edited later', async () => {
    const { printed, chat } = await run(async (invocation) => {
      await invocation.acknowledge('public');
      const ref = await invocation.postCard(titled('Deploying'));
      await invocation.adapter.edit(ref, titled('Ready'));
    }, 'deploy\n');
    expect(chat.messages()).toHaveLength(1);
    expect(printed()).toContain('╭─ • Ready  (edited)');
  });

  test('a card that a command posts after a private answer is a separate public message', async () => {
    const { chat } = await run(async (invocation) => {
      await invocation.acknowledge('private');
      await invocation.respond(titled('Seen by one'));
      await invocation.postCard(titled('Seen by all'));
    }, 'deploy\n');
    expect(chat.messages().map((shown) => shown.private)).toEqual([true, false]);
  });

  test('if a command fails unexpectedly, the terminal reports the failure and still runs the next line', async () => {
    const { printed } = await run(async ({ request }) => {
      if (request.kind === 'command' && request.command === 'stop') throw new Error('boom');
    }, 'stop\ndeploy\n');
    expect(printed()).toContain('▲ I could not handle this line');
    expect(printed()).not.toContain('boom');
    expect(printed()).toContain('› deploy');
  });
});

describe('buttons in the terminal', () => {
  async function withButtons(lines: string, onPress: (invocation: Invocation) => Promise<void>) {
    const opened = openConsole();
    const pressed: string[] = [];
    await opened.chat.start(
      inboxOf(async (invocation) => {
        const { request } = invocation;
        if (request.kind === 'action') {
          pressed.push(`${request.action?.action} on ${request.source?.message.split('-')[1]}`);
          return onPress(invocation);
        }
        await invocation.acknowledge('public');
        await invocation.respond(cardWithButtons('Sure?', 'confirm', 'cancel'));
      }),
    );
    opened.input.end(lines);
    await opened.chat.finished;
    return { ...opened, pressed };
  }

  test('buttons in the terminal are numbered throughout the session, and typing a number presses the button', async () => {
    const { pressed, printed } = await withButtons('stop a\nstop b\n#4\n#1\n', (invocation) =>
      invocation.acknowledge('private'),
    );
    expect(printed()).toContain('╰─ [#1 Do confirm]  [#2 Do cancel]');
    expect(printed()).toContain('╰─ [#3 Do confirm]  [#4 Do cancel]');
    expect(pressed).toEqual(['cancel on 2', 'confirm on 1']);
  });

  test('an updated terminal message keeps the numbers of its buttons, and a removed button cannot be pressed', async () => {
    const { pressed, printed } = await withButtons('stop a\n#1\n#1\n#2\n', async (invocation) => {
      await invocation.acknowledge('update');
      await invocation.respond(cardWithButtons('Stopping', 'cancel', 'wait'));
    });
    expect(printed()).toContain('╭─ • Stopping  (edited)\n╰─ [#2 Do cancel]  [#3 Do wait]');
    expect(pressed).toEqual(['confirm on 1', 'cancel on 1']);
    expect(printed()).toContain(
      '▲ Button #1 is gone: its message has changed. You can press #2 Do cancel, #3 Do wait.',
    );
  });

  test('if a card in the terminal shows another page, a button with the same label keeps its number', async () => {
    const page = (nth: number) =>
      card({
        title: [`Page ${nth}`],
        nodes: [
          {
            kind: 'buttons',
            buttons: ['Refresh', ...(nth > 1 ? ['Previous'] : []), 'Next'].map((label) => ({
              label,
              style: 'secondary',
              action: {
                command: 'list',
                action: 'page',
                arg: `${nth + { Refresh: 0, Next: 1, Previous: -1 }[label as 'Next']}`,
              },
            })),
          },
        ],
      });
    const opened = openConsole();
    await opened.chat.start(
      inboxOf(async (invocation) => {
        const { request } = invocation;
        await invocation.acknowledge(request.kind === 'action' ? 'update' : 'public');
        await invocation.respond(page(request.kind === 'action' ? Number(request.action?.arg) : 1));
      }),
    );
    opened.input.end('stop\n#2\n#2\n#3\n');
    await opened.chat.finished;
    expect(opened.printed().match(/Page \d|╰─ .*/g)).toEqual([
      'Page 1',
      '╰─ [#1 Refresh]  [#2 Next]',
      'Page 2',
      '╰─ [#1 Refresh]  [#3 Previous]  [#2 Next]',
      'Page 3',
      '╰─ [#1 Refresh]  [#3 Previous]  [#2 Next]',
      'Page 2',
      '╰─ [#1 Refresh]  [#3 Previous]  [#2 Next]',
    ]);
  });

  test('if two buttons of a card have the same label, each button has a separate number in the terminal', async () => {
    const pressed: string[] = [];
    const opened = openConsole();
    await opened.chat.start(
      inboxOf(async (invocation) => {
        const { request } = invocation;
        if (request.kind === 'action') return void pressed.push(request.action?.arg ?? '');
        const buttons = ['alpha', 'beta'].map((arg) => {
          const action = { command: 'stop', action: 'ask', arg };
          return { label: 'Stop', style: 'danger', action } as const;
        });
        await invocation.respond(card({ nodes: [{ kind: 'buttons', buttons }] }));
      }),
    );
    opened.input.end('stop\n#2\n#1\n');
    await opened.chat.finished;
    expect(opened.printed()).toContain('[#1 Stop]  [#2 Stop]');
    expect(pressed).toEqual(['beta', 'alpha']);
  });

  test('if an update gives the Stop button of a card a new target, the old button number does not stop the new target', async () => {
    const pressed: string[] = [];
    const opened = openConsole();
    const stopping = (arg: string) => {
      const action = { command: 'stop', action: 'ask', arg };
      return card({ nodes: [{ kind: 'buttons', buttons: [{ label: 'Stop', style: 'danger', action }] }] });
    };
    await opened.chat.start(
      inboxOf(async (invocation) => {
        const { request } = invocation;
        if (request.kind === 'action') return void pressed.push(request.action?.arg ?? '');
        await invocation.respond(stopping('alpha'));
        await invocation.respond(stopping('beta'));
      }),
    );
    opened.input.end('stop\n#1\n#2\n');
    await opened.chat.finished;
    expect(pressed).toEqual(['beta']);
  });

  test('if a person types an unknown button number, the answer lists the buttons of the newest card only', async () => {
    const actions = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const opened = openConsole();
    await opened.chat.start(
      inboxOf(async (invocation) => {
        await invocation.acknowledge('public');
        await invocation.respond(cardWithButtons('Sure?', ...actions));
      }),
    );
    opened.input.end('stop\nstop\n#99\n');
    await opened.chat.finished;
    const all = actions.map((action, index) => `#${index + 8} Do ${action}`).join(', ');
    expect(opened.printed()).toContain(`There is no button #99. You can press ${all}.`);
  });

  test('if a person types the number of a button that does not exist, the terminal answers with an explanation', async () => {
    const { printed, pressed } = await withButtons('#7\nstop\n#7\n#0\n#1 now\n', async () => {});
    expect(printed()).toContain('▲ There is no button #7.  (only you see this)');
    expect(printed()).toContain('▲ There is no button #7. You can press #1 Do confirm, #2 Do cancel.');
    expect(printed()).toContain('▲ There is no button #0.');
    expect(printed()).toContain('▲ To press a button, type its number alone');
    expect(pressed).toEqual([]);
  });
});

describe('posting to the terminal', () => {
  test('two posts with the same key print a single message in the terminal, and a search by the key finds this message', async () => {
    const { chat, printed } = openConsole();
    await chat.start(inboxOf(async () => {}));
    const parent = await chat.post(here, { message: titled('Card'), key: 'a' });
    const line = { kind: 'line', tone: 'success', text: ['ready'] } as const;
    const first = await chat.post(here, { message: line, replyTo: parent, key: 'b' });
    expect(await chat.post(here, { message: line, replyTo: parent, key: 'b' })).toEqual(first);
    expect(await chat.findPosted(here, 'b', NOON)).toEqual(first);
    expect(await chat.findPosted(here, 'b', NOON + 1)).toBeUndefined();
    expect(await chat.findPosted(here, 'c', 0)).toBeUndefined();
    expect(printed()).toBe('╭─ • Card\n╰─\n↳ ✓ ready\n');
    await chat.stop();
  });

  test('a terminal message of an earlier session cannot be edited', async () => {
    const { chat } = openConsole();
    await chat.start(inboxOf(async () => {}));
    const edit = chat.edit({ ...here, message: 'ffffffff-1' }, titled('x'));
    await expect(edit).rejects.toMatchObject({ code: 'console-gone', retryable: false });
    await chat.stop();
  });

  test('no message can be posted to the terminal before the chat has started or after the chat has closed', async () => {
    const { chat } = openConsole();
    const post = () => chat.post(here, { message: titled('x'), key: 'a' });
    await expect(post()).rejects.toThrow(DeliveryError);
    expect(chat.healthy()).toBe(false);
    await chat.start(inboxOf(async () => {}));
    expect(chat.healthy()).toBe(true);
    const ref = await post();
    await chat.close();
    await expect(post()).rejects.toThrow(DeliveryError);
    await expect(chat.edit(ref, titled('y'))).rejects.toThrow(DeliveryError);
    expect(chat.healthy()).toBe(false);
  });

  test('if a file in a terminal message cannot be saved, the delivery fails with a hint for the operator', async () => {
    const { chat, printed } = openConsole({ saveFile: () => Promise.reject(new Error('ENOSPC')) });
    await chat.start(inboxOf(async () => {}));
    const message = card({ files: [textFile('a.log', 'x')] });
    await expect(chat.post(here, { message, key: 'a' })).rejects.toMatchObject({
      code: 'console-file',
      hint: expect.stringContaining('temporary folder'),
    });
    expect(printed()).toBe('');
    await chat.stop();
  });
});

test("the terminal prints a command of the demo's tour in the same way as a typed command", async () => {
  const { chat, printed } = openConsole();
  await chat.start(inboxOf((invocation) => invocation.refuse(titled('Answer'))));
  chat.say(['Hello']);
  await chat.type('deploy \u001b[31m');
  await turn();
  expect(printed()).toBe('Hello\n\n› deploy ␛[31m\n╭─ • Answer  (only you see this)\n╰─\n');
  await chat.stop();
});
