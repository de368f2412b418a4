import { readFlags } from '../../src/flags.ts';
import { runChaos } from './chaos.ts';
import { usage } from './flags.ts';
import { digestOf, drawSchedule } from './schedule.ts';
import { summaryOf } from './verdict.ts';

const flags = readFlags(usage);
if (!flags) process.exit();
const { kills, seed, platform, database, replicas } = flags;

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

try {
  const schedule = drawSchedule(seed, { kills, replicas });
  console.log(
    `seed=${seed} kills=${kills} platform=${platform} database=${database} replicas=${replicas} schedule=${digestOf(schedule)}`,
  );
  const { verdict, problems } = await runChaos({
    schedule,
    platform,
    database,
    replicas,
    signal: stop.signal,
    say: (line) => console.log(line),
  });
  console.log(summaryOf(verdict));
  process.exit(problems.length > 0 ? 1 : 0);
} catch (error) {
  if (!stop.signal.aborted) throw error;
  console.error('stopped');
  process.exit(130);
}
