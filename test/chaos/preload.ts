import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/**
 * Loaded before the bot (`node --import`). Changes the source of one safeguard. `CHAOS_WITHOUT` is the JSON of a
 * `Sabotage`. If the source does not contain the text exactly once, the process ends, because the code has changed and
 * the test has to change, too.
 */
export interface Sabotage {
  /** The path of the module, from the root of the repository. */
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
