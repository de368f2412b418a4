import { RefusedError } from '../errors.ts';

export type Whose = 'account' | 'person';

interface Reached {
  readonly count: number;
  readonly limit: number;
  /** The newest of the deployments that run. */
  readonly named: readonly {
    readonly request_id: string | null;
    readonly application: string;
    readonly version: string;
    readonly asker_name: string;
  }[];
}

export function tooMany(whose: Whose, { count, limit, named }: Reached): RefusedError {
  const [what, limited, setting] =
    whose === 'account'
      ? [runningOf(count, ''), 'the limit', 'MAX_RUNNING']
      : [runningOf(count, 'of yours '), 'the limit for each person', 'MAX_RUNNING_PER_PERSON'];
  return new RefusedError('limit-running', `${what}, and ${limited} is ${limit}.`, {
    hint: hint('Stop a deployment that is no longer needed.', named, setting),
  });
}

export function hourSpent(reached: Reached & { readonly waitMs: number }): RefusedError {
  const { count, limit, named, waitMs } = reached;
  const minutes = Math.max(1, Math.ceil(waitMs / 60_000));
  const what = `You have deployed ${count === 1 ? 'once' : `${count} times`} within the last hour`;
  return new RefusedError('limit-hour', `${what}, and the limit for each person is ${limit}.`, {
    hint: hint(
      `Try again in ${minutes === 1 ? '1 minute' : `${minutes} minutes`}.`,
      named,
      'MAX_DEPLOYS_PER_HOUR',
    ),
  });
}

/** `1 deployment runs`; `of` stands after the word deployment. */
export function runningOf(count: number, of: string): string {
  return count === 1 ? `1 deployment ${of}runs` : `${count} deployments ${of}run`;
}

function hint(what: string, named: Reached['named'], setting: string): string {
  const list = named.map(({ request_id, application, version, asker_name }) => {
    const about = `${application} ${version}, asked for by ${asker_name}`;
    return request_id === null ? `no request_id yet (${about})` : `${request_id} (${about})`;
  });
  const newest = list.length > 0 ? `The newest: ${list.join('; ')}.` : '';
  return ['Nothing was deployed.', newest, what, `Whoever runs me can change ${setting}.`]
    .filter(Boolean)
    .join(' ');
}
