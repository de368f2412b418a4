import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { inboxOf } from '../../support/inbox.ts';
import { turn, until } from '../../support/test-clock.ts';
import { card } from './fixtures.ts';
import { openConsole } from './harness.ts';

describe('lines from a pipe', () => {
  test('a line from a pipe runs only after the previous line has been answered', async () => {
    const { chat, input } = openConsole();
    const log: string[] = [];
    const gates: (() => void)[] = [];
    await chat.start(
      inboxOf(async ({ request }) => {
        const what = request.kind === 'command' && request.args.kind === 'text' ? request.args.text : '';
        log.push(`begin ${what}`);
        await new Promise<void>((resolve) => gates.push(resolve));
        log.push(`end ${what}`);
      }),
    );
    input.end('deploy 1\ndeploy 2\n\n# comment\r\ndeploy 3');
    await until(() => gates.length === 1);
    await turn(10);
    expect(log).toEqual(['begin 1']);
    gates[0]?.();
    await until(() => gates.length === 2);
    gates[1]?.();
    await until(() => gates.length === 3);
    gates[2]?.();
    expect(await chat.finished).toBe('end');
    expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
  });

  test('lines from a pipe are printed as they were typed, and a very long line is cut', async () => {
    const { chat, input, printed } = openConsole();
    await chat.start(inboxOf(async () => {}));
    input.end(`deploy a\ndeploy ${'x'.repeat(10_000)}\n`);
    await chat.finished;
    const lines = printed().split('\n');
    expect(lines[0]).toBe('› deploy a');
    expect(lines[2]).toMatch(/^› deploy x+…$/);
    expect(lines[2]?.length).toBeLessThan(300);
  });

  test('a line of wide characters arrives whole, however the pipe splits the bytes', async () => {
    const { chat, input } = openConsole();
    const seen: unknown[] = [];
    await chat.start(inboxOf(async ({ request }) => void seen.push(request)));
    for (const byte of Buffer.from('deploy 日本 🇯🇵\n')) input.write(Buffer.of(byte));
    input.end();
    await chat.finished;
    expect(seen).toEqual([{ kind: 'command', command: 'deploy', args: { kind: 'text', text: '日本 🇯🇵' } }]);
  });

  test('when the chat stops, lines that are still waiting are neither run nor shown', async () => {
    const { chat, input, printed } = openConsole();
    const gate = Promise.withResolvers<void>();
    await chat.start(inboxOf(() => gate.promise));
    input.write('deploy a\ndeploy b\n');
    await until(() => printed().includes('deploy a'));
    await chat.stop();
    gate.resolve();
    await chat.finished;
    expect(printed()).toBe('› deploy a\n');
  });

  test('a line from a pipe runs only after the screen shows the effects of the previous line', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { chat, input, printed } = openConsole({ settled: () => promise });
    await chat.start(inboxOf(async () => {}));
    input.end('deploy a\ndeploy b\n');
    await until(() => printed().includes('deploy a'));
    await turn(10);
    expect(printed()).not.toContain('deploy b');
    resolve();
    await chat.finished;
    expect(printed()).toContain('deploy b');
  });

  test('no line after the line "exit" is run', async () => {
    const { chat, input } = openConsole();
    let ran = 0;
    await chat.start(inboxOf(async () => void ran++));
    input.write('deploy a\nexit\ndeploy b\n');
    expect(await chat.finished).toBe('end');
    expect(ran).toBe(1);
  });
});

describe('a pipe without input', () => {
  test.each(['', '\n\n', '# only a comment\n'])(
    'a pipe that contains only %j counts as a pipe without input',
    async (text) => {
      const { chat, input } = openConsole({ silenceMs: 3000 });
      await chat.start(inboxOf(async () => {}));
      input.end(text);
      expect(await chat.finished).toBe('no-input');
    },
  );

  test('a pipe that stays silent counts as a pipe without input', async () => {
    const { chat, clock } = openConsole({ silenceMs: 3000 });
    await chat.start(inboxOf(async () => {}));
    let over = '';
    void chat.finished.then((how) => {
      over = how;
    });
    await clock.advance(2999);
    expect(over).toBe('');
    await clock.advance(1);
    expect(over).toBe('no-input');
    expect(clock.pending).toBe(0);
  });

  test('a pipe that falls silent after its first line does not count as a pipe without input', async () => {
    const { chat, clock, input, printed } = openConsole({ silenceMs: 3000 });
    await chat.start(inboxOf(async () => {}));
    input.write('deploy a\n');
    await until(() => printed().includes('deploy a'));
    expect(clock.pending).toBe(0);
    await clock.advance(60_000);
    input.end('deploy b\n');
    expect(await chat.finished).toBe('end');
    expect(printed()).toContain('deploy b');
  });

  test('without a limit for silence, the bot keeps waiting for a silent pipe', async () => {
    const { chat, clock } = openConsole();
    await chat.start(inboxOf(async () => {}));
    expect(clock.pending).toBe(0);
    await chat.stop();
  });
});

describe('streams that break', () => {
  test('if the output of the terminal chat breaks, the chat ends and drops later messages', async () => {
    const output = new PassThrough();
    const { chat, input } = openConsole({ output });
    await chat.start(inboxOf(async () => {}));
    output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(await chat.finished).toBe('closed');
    await chat.post(
      { platform: 'console', workspace: 'local', channel: 'terminal' },
      { message: card(), key: 'late' },
    );
    input.end();
    await chat.stop();
  });

  test('if reading the input of the terminal chat fails, the chat ends as if the input were empty', async () => {
    const { chat, input } = openConsole();
    await chat.start(inboxOf(async () => {}));
    input.destroy(new Error('EISDIR'));
    expect(await chat.finished).toBe('no-input');
  });
});
