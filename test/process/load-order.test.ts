import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** A script for a process that first loads these libraries in this order, and then posts a file to a local Discord. */
const script = (libraries: readonly string[]) => `
  for (const library of ${JSON.stringify(libraries)}) await import(library);
  const { startHarness, card, here } = await import('./test/adapters/discord/harness.ts');
  const bot = await startHarness();
  const { textFile } = await import('./src/chat/card.ts');
  const files = [textFile('a.log', 'grün')];
  await bot.adapter.post(here, { key: 'key', message: card('Logs', [], { files }) });
  const [message] = await bot.driver.channel();
  console.log(JSON.stringify({ files: message.files, violations: bot.driver.server.violations }));
  await bot.close();`;

// The bot and discord.js use different versions of undici, which share a global dispatcher.
test.each([[['undici', 'discord.js']], [['discord.js', 'undici']]])(
  'a process that loads the libraries %j in this order can send a file to Discord',
  async (libraries) => {
    const args = ['--input-type=module', '--eval', script(libraries)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
    expect(JSON.parse(stdout)).toEqual({ files: [{ name: 'a.log', content: 'grün' }], violations: [] });
  },
);
