import type { TaskKind } from '../work/task.ts';
import type { KnownDeployments } from './known.ts';
import { END_WARNING } from './lifetimes.ts';
import { taskKey } from './planned-stops.ts';
import type { End } from './view.ts';

/** Asks a person what to do, shortly before the person's deployment ends. See `LifetimeLimits` for `most`. */
export function endWarnings(
  deploymentsOf: (account: string) => KnownDeployments,
  most: number | undefined,
): TaskKind {
  return {
    kind: END_WARNING,
    async run({ key, account, payload }) {
      const request_id = key.slice(taskKey(account, '').length);
      await deploymentsOf(account).askBeforeEnd(request_id, payload as End, most);
      return undefined;
    },
  };
}
