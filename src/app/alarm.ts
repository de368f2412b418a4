import { createHash } from 'node:crypto';
import type { Line } from '../chat/card.ts';
import type { Adapter } from '../chat/port.ts';
import type { Clock } from '../clock.ts';
import type { AccessRules } from '../config.ts';
import type { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { enqueue } from '../notify/outbox.ts';
import type { Store } from '../store/schema.ts';
import { transact } from '../store/transact.ts';

/** Matches the ids of people on Slack, to whom the bot can send a direct message. All other ids are ids of groups. */
const PERSON = /^[UW][A-Z0-9]+$/;
/** For each platform, the setting that holds the token with which the bot sends messages. */
const OWN_TOKEN: Readonly<Record<string, TokenSetting>> = {
  discord: 'DISCORD_TOKEN',
  slack: 'SLACK_BOT_TOKEN',
};
/** The length of the keys in the outbox. */
const KEY_LENGTH = 24;

/** The settings that hold a token which a service can refuse. */
export type TokenSetting = 'EDGEGAP_API_TOKEN' | 'DISCORD_TOKEN' | 'SLACK_BOT_TOKEN' | 'SLACK_APP_TOKEN';

/** Called when a service refuses a token. The same token can be reported many times. */
export type TokenRefused = (setting: TokenSetting, error: AppError) => void;

/**
 * Tells the operators, by direct messages through the outbox, that a service refuses a token. The key of a message is
 * made from the token, and the outbox sends each key only once. The operators therefore get a single message about a
 * token, even from several processes or after a restart.
 */
export function createAlarm(parts: {
  readonly access: Readonly<Record<string, AccessRules>>;
  readonly adapters: () => readonly Adapter[];
  readonly tokenOf: (setting: TokenSetting) => string | undefined;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}): TokenRefused {
  const { access, adapters, tokenOf, store, clock, log } = parts;
  const told = new Set<string>();
  return (setting, { userMessage, hint }) => {
    const token = tokenOf(setting) ?? '';
    if (told.has(setting)) return;
    told.add(setting);
    // A platform that refuses the bot's own token cannot deliver a message about this refusal. After the token is
    // corrected, the message would be out of date.
    const reachable = adapters().filter(({ platform }) => OWN_TOKEN[platform] !== setting);
    const persons = reachable.flatMap(({ platform }) =>
      (access[platform]?.operators ?? []).filter((id) => PERSON.test(id)).map((id) => ({ platform, id })),
    );
    if (persons.length === 0)
      log.error(
        { setting, problem: userMessage, hint },
        'alarm: a token is refused, and the settings name no person to tell',
      );
    else
      log.error({ setting, problem: userMessage, hint }, 'alarm: a token is refused; the operators are told');
    const message = lineOf(setting, userMessage, hint);
    transact(store, async (tx) => {
      for (const { platform, id } of persons)
        await enqueue(tx, clock, {
          kind: 'tell',
          orderKey: `alarm/${platform}/${id}`,
          key: keyOf(setting, token, platform, id),
          person: id,
          at: { platform, workspace: '' },
          message,
          urgent: true,
        });
    }).catch((err: unknown) => {
      told.delete(setting);
      log.error({ setting, err }, 'alarm: the operators cannot be told');
    });
  };
}

function lineOf(setting: TokenSetting, problem: string, hint: string | undefined): Line {
  return {
    kind: 'line',
    tone: 'danger',
    text: [{ bold: setting }, ` is refused. ${[problem, hint].filter(Boolean).join(' ')}`],
  };
}

/** A hash, because the store holds the keys and must not hold the token. */
function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, KEY_LENGTH);
}
