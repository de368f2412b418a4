/**
 * `npm run bench -- NAME` runs bench/NAME.ts, and `npm run bench -- all` runs every bench. Without a name, the script
 * lists the benches.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readFlags } from '../../src/flags.ts';
import { type Bench, verdict } from './bench.ts';

const FOLDER = join(import.meta.dirname, '..');
const print = (line: string) => void process.stdout.write(`${line}\n`);

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));
const flags = readFlags({
  text: 'Usage: npm run bench [-- NAME | all]\n\nMeasures one figure, or all of them one after the other, and says whether it holds. Without a name it says which there are.\n',
  options: {},
  words: true,
  schema: z.object({
    words: z
      .array(
        z.enum([...names, 'all'], {
          error: ({ input }) => `There is no bench ${input}. There are: ${names.join(', ')}.`,
        }),
      )
      .max(1, 'One at a time.'),
  }),
});
const [name] = flags?.words ?? [];

if (!flags) {
  // `readFlags` has already printed the help or the explanation of the mistake.
} else if (name === undefined) {
  print('npm run bench -- NAME\n');
  for (const each of names) print(`${each}: ${(await load(each)).about}`);
} else if (name === 'all') {
  // Each bench runs in a separate process, so that its memory and its event loop do not affect the next bench.
  const ended = names.map((each) =>
    spawnSync(process.execPath, [import.meta.filename, each], { stdio: 'inherit' }),
  );
  if (ended.some(({ status }) => status !== 0)) process.exitCode = 1;
} else {
  const bench = await load(name);
  print(bench.about);
  const outcome = await bench.run((line) => print(`  ${line}`));
  for (const wrong of outcome.wrong ?? []) print(`  wrong: ${wrong}`);
  const { line, holds } = verdict(name, bench.bar, outcome);
  print(line);
  if (!holds) process.exitCode = 1;
}

async function load(name: string): Promise<Bench> {
  return ((await import(join(FOLDER, `${name}.ts`))) as { bench: Bench }).bench;
}
