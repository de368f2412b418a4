/** The thread that reads logs for `reader.ts`. */
import { readLogs } from '../edgegap/logs.ts';
import { serve } from '../thread.ts';
import { look } from './look.ts';
import type { ReaderJob } from './reader.ts';

/**
 * The logs of recent calls, by the number of the call. They are cached for a moment, because other people may follow
 * the same log.
 */
const logs = new Map<number, string>();

serve(async (job: ReaderJob) => {
  const { call } = job;
  if ('forget' in job) return void logs.delete(call);
  if (job.bytes) logs.set(call, readLogs(job.bytes).logs);
  const log = logs.get(call);
  if (log === undefined) throw new Error('the thread that had the log has ended');
  return await look({ ...job, log });
});
