import { describe, expect, test } from 'vitest';
import type { Invocation } from '../../../src/chat/port.ts';
import { inboxOf } from '../../support/inbox.ts';
import { turn, until } from '../../support/test-clock.ts';
import { card, cardWithButtons } from './fixtures.ts';
import { openConsole, terminalStream } from './harness.ts';

const here = { platform: 'console', workspace: 'local', channel: 'terminal' };

async function openTerminal(handle: (invocation: Invocation) => Promise<void> = async () => {}) {
  const input = terminalStream();
  const output = terminalStream();
  const seen = { text: '' };
  output.setEncoding('utf8').on('data', (text: string) => {
    seen.text += text;
  });
  const { chat, clock } = openConsole({ input, output, silenceMs: 3000 });
  await chat.start(inboxOf(handle));
  const shows = (text: string) => until(() => seen.text.includes(text), `${text} on the screen`);
  await shows('› ');
  return { chat, clock, input, output, seen, shows };
}

describe('the prompt at a terminal', () => {
  test('the prompt in a terminal waits for a line without a time limit', async () => {
    const { chat, clock } = await openTerminal();
    let over = false;
    void chat.finished.then(() => {
      over = true;
    });
    await clock.advance(60_000);
    expect(over).toBe(false);
    await chat.stop();
  });

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
    ['Ctrl-C in the middle of a line', 'depl\u0003'],
    ['exit', 'exit\r'],
  ])('%s at the prompt ends the chat', async (_, keys) => {
    const { chat, input } = await openTerminal();
    input.write(keys);
    expect(await chat.finished).toBe('left');
  });

  test('a typed line runs and is not printed a second time', async () => {
    const { chat, input, seen, shows } = await openTerminal((invocation) =>
      invocation.refuse(card({ title: ['Answer'] })),
    );
    input.write('deploy a\r');
    await shows('Answer');
    expect(seen.text.split('deploy a')).toHaveLength(2);
    await chat.stop();
  });

  test('a message appears above the line being typed, and that line is drawn again', async () => {
    const { chat, input, seen, shows } = await openTerminal();
    input.write('deploy kart');
    await shows('deploy kart');
    seen.text = '';
    await chat.post(here, { message: card({ title: ['News'] }), key: 'a' });
    await shows('› deploy kart');
    // The adapter moves the cursor to the first column, erases the line, prints the message and draws the line again.
    expect(seen.text.startsWith('\u001b[1G\u001b[0J╭─ • News\n╰─\n\n')).toBe(true);
    expect(seen.text.endsWith('› deploy kart\u001b[14G')).toBe(true);
    await chat.stop();
  });

  test('a message appears above the line being typed, even if that line takes several rows', async () => {
    const { chat, input, seen } = await openTerminal();
    input.write(`deploy ${'x'.repeat(100)}`);
    await until(() => seen.text.includes('x'.repeat(20)));
    seen.text = '';
    await chat.post(here, { message: card({ title: ['News'] }), key: 'a' });
    await turn();
    expect(
      seen.text.startsWith('\u001b[1A\u001b[1G\u001b[0J╭─ • News\n╰─\n\n\u001b[1G\u001b[0J› deploy xxx'),
    ).toBe(true);
    await chat.stop();
  });

  test('Tab completes commands, options and buttons', async () => {
    const lines: string[] = [];
    const { chat, input, seen, shows } = await openTerminal(async ({ request }) => {
      if (request.kind === 'command') lines.push(`${request.command} ${JSON.stringify(request.args)}`);
      else if (request.kind !== 'message') lines.push(request.action?.action ?? '');
    });
    input.write('dep');
    input.write('\t');
    await shows('loy ');
    input.write('a b --ne');
    input.write('\t');
    await shows('ar ');
    input.write('Lyon\r');
    await until(() => lines.length === 1);
    await chat.post(here, { message: cardWithButtons('Sure?', 'confirm'), key: 'a' });
    input.write('#');
    input.write('\t');
    await until(() => /#\S*1$/.test(seen.text), 'the number of the button');
    input.write('\r');
    await until(() => lines.length === 2);
    expect(lines).toEqual(['deploy {"kind":"text","text":"a b --near Lyon"}', 'confirm']);
    await chat.stop();
  });

  test('the arrow-up key brings back the last line', async () => {
    const lines: unknown[] = [];
    const { chat, input } = await openTerminal(async ({ request }) => void lines.push(request));
    input.write('deploy a\r');
    await until(() => lines.length === 1);
    input.write('\u001b[A\r');
    await until(() => lines.length === 2);
    expect(lines[1]).toEqual(lines[0]);
    await chat.stop();
  });

  test('a terminal whose output goes to a file is read like a pipe, but without a limit for silence', async () => {
    const input = terminalStream();
    const { chat, clock, printed } = openConsole({ input, silenceMs: 3000 });
    await chat.start(inboxOf(async () => {}));
    expect(clock.pending).toBe(0);
    input.write('deploy a\n');
    await until(() => printed().includes('› deploy a'));
    input.end();
    expect(await chat.finished).toBe('end');
  });
});
