import type { Person } from '../../chat/port.ts';
import { type Clock, within } from '../../clock.ts';
import type { AccessRules } from '../../config.ts';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { createAgedCache } from './aged-cache.ts';
import type { SlackApi } from './api.ts';
import { slackErrorCode, toDeliveryError } from './errors.ts';
import type { Identity } from './identity.ts';

/**
 * Maximum ages of cached answers, in milliseconds. Answers up to the age `maxAge` are used without asking Slack. If
 * Slack does not answer, answers up to the age `staleAge` are used. `fresh` is for requests that change something. For
 * `fresh`, a `staleAge` of a minute is safe, because Slack's events report changed groups. Slack allows 100 calls of
 * users.info per minute, but only 20 calls of usergroups.list (docs.slack.dev, rate limits).
 */
const AGES = {
  cached: { maxAge: 60_000, staleAge: 10 * 60_000 },
  fresh: { maxAge: 5000, staleAge: 60_000 },
} as const;

/** Matches a mention that contains a person's id instead of the person's name. */
const MENTION = /(?<=^|\s)@([UW][A-Z0-9]{5,20})(?=\s|$)/;
/**
 * How long the bot waits for a person's name, in milliseconds. The wait is short, because Slack expects an
 * acknowledgement within three seconds.
 */
const NAME_MS = 500;

/** The key of the cache's only entry, which holds the members of all groups. */
const ALL = 'all';

export type People = ReturnType<typeof createPeople>;

export function createPeople(parts: {
  readonly api: SlackApi;
  readonly access: AccessRules;
  readonly clock: Clock;
  readonly log: Logger;
  readonly identity: () => Identity;
}) {
  const { api, access, clock, log } = parts;
  const named = [...(access.operators ?? []), ...(Array.isArray(access.readers) ? access.readers : [])];
  const groupIds = [...new Set(named.filter((id) => id.startsWith('S')))];

  const users = createAgedCache(clock, async (id) => {
    try {
      return (await api.read.users.info({ user: id })).user;
    } catch (error) {
      // In a shared channel, Slack sometimes hides a person from another workspace.
      const code = slackErrorCode(error);
      if (code === 'user_not_found' || code === 'user_not_visible') return undefined;
      throw error;
    }
  });
  const missing = new Set<string>();
  /** Asks about all groups in a single call, because Slack's rate limit counts calls. */
  const members = createAgedCache(clock, async () => {
    const { usergroups = [] } = await api.read.usergroups.list({ include_users: true, include_count: true });
    const byGroup = groupIds.map(async (id) => {
      const group = usergroups.find((candidate) => candidate.id === id && !candidate.date_delete);
      if (!group && !missing.has(id))
        log.warn({ group: id }, 'a user group named in SLACK_OPERATORS or SLACK_READERS does not exist');
      if (!group) missing.add(id);
      return { id, users: group ? await membersOf(id, group) : [] };
    });
    return await Promise.all(byGroup);
  });

  /**
   * The members of a group. Slack may shorten a long list of members, as in the event subteam_updated. If the list is
   * shorter than the group's member count, a further call asks about this group alone.
   */
  async function membersOf(id: string, { users, user_count }: Group): Promise<readonly string[]> {
    if (users && users.length >= Number(user_count ?? 0)) return users;
    return (await api.read.usergroups.users.list({ usergroup: id })).users ?? [];
  }

  /** Asks Slack for a person's name, roles and groups. Throws AppError if Slack gives no answer. */
  async function person(id: string, freshness: 'cached' | 'fresh'): Promise<Person> {
    try {
      const user = await users.get(id, AGES[freshness]);
      const home = isHome(user, parts.identity());
      const name = user?.profile?.display_name || user?.real_name || user?.name || id;
      if (!user || !home) return { id, name, home: false, guest: false, admin: false, groups: [] };
      const groups = groupIds.length > 0 ? await members.get(ALL, AGES[freshness]) : [];
      return {
        id,
        name,
        home,
        guest: Boolean(user.is_restricted || user.is_ultra_restricted),
        admin: Boolean(user.is_admin || user.is_owner || user.is_primary_owner),
        groups: [id, ...groups.filter(({ users }) => users.includes(id)).map((group) => group.id)],
      };
    } catch (error) {
      throw cannotTell(error);
    }
  }

  /**
   * Replaces the id in the first mention, as in `deploy @U0123ABCD`, by the member's name. The person may have typed
   * `@` with the name of a preset. If a member has the same name, Slack replaces the typed name by the member's id. The
   * id stays if Slack does not answer in time, or if the member's name has several words.
   */
  async function withName(text: string): Promise<string> {
    const [mention, id] = MENTION.exec(text) ?? [];
    if (mention === undefined || id === undefined) return text;
    const found = users.get(id, AGES.cached).catch(() => undefined);
    const user = await within(clock, NAME_MS, found);
    const names = [user?.profile?.display_name, user?.name, user?.real_name];
    const name = names.find((one) => one && /^[\w-]+$/.test(one));
    return name === undefined ? text : text.replace(mention, `@${name}`);
  }

  return {
    person,
    withName,
    /** Removes the cached members of all groups, because this user group has changed. */
    forgetGroup(id: string): void {
      if (groupIds.includes(id)) members.forget(ALL);
    },
  };
}

type Group = NonNullable<Awaited<ReturnType<SlackApi['read']['usergroups']['list']>>['usergroups']>[number];

type SlackUser = Awaited<ReturnType<SlackApi['read']['users']['info']>>['user'];

/**
 * Whether `user` is a person of the bot's own workspace. In a Slack Connect channel, people from other workspaces can
 * type and press buttons, too. On Enterprise Grid, a person may belong to several workspaces of the same organisation.
 */
function isHome(user: SlackUser, own: Identity): boolean {
  if (!user || user.deleted || user.is_bot || user.id === 'USLACKBOT') return false;
  if ((user as { is_stranger?: boolean }).is_stranger) return false;
  if (user.team_id === own.team) return true;
  const grid = user.enterprise_user;
  return (
    own.enterprise !== undefined &&
    grid?.enterprise_id === own.enterprise &&
    (grid.teams ?? []).includes(own.team)
  );
}

function cannotTell(error: unknown): AppError {
  const reason = toDeliveryError(error);
  const wait =
    reason.retryAfterMs === undefined ? 'in a moment' : `in ${Math.ceil(reason.retryAfterMs / 1000)} seconds`;
  return new AppError('slack-person-unknown', 'I could not ask Slack what you may do, so I did nothing.', {
    hint: reason.retryable
      ? `Try again ${wait}.`
      : (reason.hint ?? 'An admin can find the reason in the log.'),
    cause: error,
  });
}
