import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import terminal from '@xterm/headless';
import { expect, test } from 'vitest';
import { onScreen } from '../../src/log/screen.ts';

/** Logs of game servers. Next to each log is the text that a person should see. */
const folder = join(import.meta.dirname, 'servers');
const names = readdirSync(folder).filter((name) => name.endsWith('.log'));
/** The programs that wrote these logs clear the terminal. The bot keeps the earlier text. */
const CLEARING = ['clear-and-redraw.log', 'home-and-redraw.log'];

const read = (name: string) => readFileSync(join(folder, name), 'utf8');

/** The lines that a real terminal shows, including the lines that have scrolled out of its window. */
async function onTerminal(text: string): Promise<string> {
  const options = { cols: 200, rows: 60, scrollback: 10_000, convertEol: true, allowProposedApi: true };
  const screen = new terminal.Terminal({ ...options, logLevel: 'off' });
  await new Promise<void>((done) => screen.write(text, done));
  const { active } = screen.buffer;
  const lines = Array.from({ length: active.length }, (_, row) =>
    active.getLine(row)?.translateToString(true),
  );
  return lines
    .map((line) => line?.trimEnd())
    .join('\n')
    .trimEnd();
}

test('there are at least 40 example logs of game servers', () =>
  expect(names.length).toBeGreaterThanOrEqual(40));

test.each(names)('the example log %s is shown exactly as a terminal shows the log', async (name) => {
  const shown = (await onScreen(read(name).split('\n'))).join('\n').trimEnd();
  expect(`${shown}\n`).toBe(read(name.replace('.log', '.txt')));
  const real = await onTerminal(read(name));
  expect(CLEARING.includes(name) ? shown.slice(-real.length) : shown).toBe(real);
});
