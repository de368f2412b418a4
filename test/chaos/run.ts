import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { digestOf, drawSchedule } from './schedule.ts';
import { summaryOf } from './verdict.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    platform: { type: 'string', default: 'both' },
    database: { type: 'string', default: 'sqlite' },
    replicas: { type: 'string' },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
const database = values.database === 'postgres' ? 'postgres' : 'sqlite';
const replicas = database === 'postgres' ? Number(values.replicas ?? 3) : 1;

const { platform } = values;
if (platform !== 'discord' && platform !== 'slack' && platform !== 'both')
  throw new Error('--platform is discord, slack or both');

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
