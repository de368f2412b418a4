import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/**
 * This file is loaded before the bot (`node --import`), and removes one safeguard from the source code. `CHAOS_WITHOUT`
 * is the JSON of a `Sabotage`. If the source code does not contain the text exactly once, the process ends. The code
 * has then changed, and the test has to be adapted.
 */
export interface Sabotage {
  /** The path of the module, relative to the root of the repository. */
  readonly file: string;
  readonly text: string;
  readonly instead: string;
}

const sabotages: readonly Sabotage[] = JSON.parse(process.env.CHAOS_WITHOUT ?? '[]');
const root = new URL('../../', import.meta.url).href;

for (const { file, text } of sabotages) {
  const times = readFileSync(new URL(file, root), 'utf8').split(text).length - 1;
  if (times === 1) continue;
  process.stderr.write(`the text to change is ${times} times in ${file}: ${text}\n`);
  process.exit(77);
}

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const wanted = sabotages.filter(({ file }) => url === `${root}${file}`);
    const source = String(loaded.source);
    return wanted.length === 0
      ? loaded
      : {
          ...loaded,
          source: wanted.reduce((code, { text, instead }) => code.replace(text, () => instead), source),
        };
  },
});
