import { RefusedError } from '../errors.ts';

/** A running deployment's facts that a refusal shows. */
interface Named {
  readonly request_id: string | null;
  readonly application: string;
  readonly version: string;
  readonly asker_name: string;
}

/**
 * `problem` names the limit, and `next` is the advice for the person. `newest` contains some of the running
 * deployments.
 */
export function limitReached(
  setting: 'MAX_RUNNING' | 'MAX_RUNNING_PER_PERSON' | 'MAX_DEPLOYS_PER_HOUR',
  { problem, next, newest }: { problem: string; next: string; newest: readonly Named[] },
): RefusedError {
  const list = newest.map(
    ({ request_id, application, version, asker_name }) =>
      `${request_id ?? 'no request_id yet'} (${application} ${version}, asked for by ${asker_name})`,
  );
  const named = list.length > 0 ? `The newest:\n${list.join('\n')}\n` : '';
  return new RefusedError(setting === 'MAX_DEPLOYS_PER_HOUR' ? 'limit-hour' : 'limit-running', problem, {
    hint: `Nothing was deployed. ${named}${next} Whoever runs me can change ${setting}.`,
    later: true,
  });
}

/** For example `1 server runs`. The text `of` follows the word `server` or `servers`. */
export function theyRun(count: number, of: string): string {
  return count === 1 ? `1 server ${of}runs` : `${count} servers ${of}run`;
}
