import type { Clock } from '../clock.ts';
import type { Directory } from '../command/define.ts';
import type { Config } from '../config.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { type Finding, warning } from '../finding.ts';
import { createMask } from '../log/mask.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/schema.ts';
import { examineAddress } from './address.ts';
import { examineEdgegap } from './edgegap.ts';
import { examineStore, type StoreParts } from './store.ts';
import { examineClock } from './time.ts';
import { examineVersions } from './versions.ts';

export interface ExamineParts extends Pick<StoreParts, 'tryFolder'> {
  readonly config: Config;
  readonly directory: Directory;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** The store of this process. Set only if this process is the running bot. */
  readonly store?: Store;
  /** The API client of this process, without the allowlist. Set only if this process is the running bot. */
  readonly edgegap?: EdgegapApi;
  /** A configuration token of Slack, which allows the doctor to read the settings of the app. */
  readonly configurationToken?: string | undefined;
  /** The version of Node.js that runs this process. */
  readonly node?: string;
}

/**
 * Checks everything that the settings refer to: Edgegap, the chat platforms, the address, the clock, the database and
 * the versions. Changes nothing. The findings contain no secrets.
 */
export async function examine(parts: ExamineParts): Promise<Finding[]> {
  const { config, directory, clock, log, store, edgegap, node, tryFolder, configurationToken } = parts;
  const { discord, slack, publicUrl, database } = config;
  const now = () => clock.now();
  const address = safely('address', async () => {
    const { findings, botRuns } = await examineAddress(config, store !== undefined);
    return [
      ...findings,
      ...(await examineStore(database, { log, store, botRuns, ...(tryFolder ? { tryFolder } : {}) })),
    ];
  });
  const all = await Promise.all([
    safely('versions', async () => [examineVersions(node)]),
    safely('edgegap', () => examineEdgegap(config, log, edgegap)),
    // The package of a platform takes time to load, and is loaded only if the settings use the platform.
    discord &&
      safely('discord', async () => {
        const { examineDiscord } = await import('../adapters/discord/examine.ts');
        return examineDiscord(discord, directory);
      }),
    slack &&
      safely('slack', async () => {
        const { examineSlack } = await import('../adapters/slack/examine.ts');
        return examineSlack(slack, { publicUrl, directory, log, configurationToken });
      }),
    address,
    safely('clock', () => examineClock(config, now)),
  ]);
  return all.flatMap((findings) => findings ?? []).map(masking(config.secrets));
}

/**
 * The checks that run at each start. They need only a few calls, and find faults that the start itself does not notice.
 */
export async function examineAtStart(parts: ExamineParts & { readonly store: Store }): Promise<Finding[]> {
  const { config, clock, log, store, tryFolder } = parts;
  const { discord } = config;
  const all = await Promise.all([
    config.publicUrl === undefined
      ? []
      : safely('address', async () => [...(await examineAddress(config, true)).findings]),
    safely('clock', () => examineClock(config, () => clock.now())),
    safely('store', () =>
      examineStore(config.database, { log, store, botRuns: true, ...(tryFolder ? { tryFolder } : {}) }),
    ),
    discord &&
      safely('discord', async () => {
        const { examineDiscordRoles } = await import('../adapters/discord/examine.ts');
        return examineDiscordRoles(discord);
      }),
  ]);
  return all.flatMap((findings) => findings ?? []).map(masking(config.secrets));
}

/**
 * Runs a check. If the check itself fails because of a bug, reports this failure as a finding, so that the other
 * findings are still shown.
 */
async function safely(check: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [
      warning(
        check,
        `This check could not be made: ${error instanceof Error ? error.message : String(error)}.`,
        'Run doctor again. If this goes on, report the fault.',
      ),
    ];
  }
}

function masking(secrets: readonly string[]): (finding: Finding) => Finding {
  const mask = createMask(secrets);
  return ({ says, mend, ...finding }) => ({
    ...finding,
    says: mask(says),
    ...(mend === undefined ? {} : { mend: mask(mend) }),
  });
}
