import type { Line } from '../../chat/card.ts';
import { systemClock } from '../../clock.ts';
import type { SlackConfig } from '../../config.ts';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { createSlackApi } from './api.ts';
import { createBoltLogger } from './bolt-logger.ts';
import { webApi } from './bolt-package.ts';
import { slackErrorCode } from './errors.ts';
import type { createManifest, PresentManifest } from './manifest.ts';
import { createPosts } from './posts.ts';

/** Maximum number of members to read in a search for a person by name. */
const MOST_MEMBERS = 2_000;
const PAGE = 200;

export interface SurveyedGroup {
  readonly id: string;
  readonly name: string;
}

export type SlackSurvey = ReturnType<typeof createSlackSurvey>;

/**
 * The requests that `doctor` and `setup` make to Slack. Unless a comment says otherwise, a failed request rejects with
 * the error of Slack's client.
 */
export function createSlackSurvey(config: Pick<SlackConfig, 'botToken' | 'apiUrl' | 'proxy'>, log: Logger) {
  const logger = createBoltLogger(log, { quiet: true });
  const api = createSlackApi(config, logger, systemClock);
  const clientOf = (token: string) => new webApi.WebClient(token, { ...api.options, logger });
  return {
    /** The bot, its workspace and the granted scopes. */
    async identity() {
      const answer = await api.read.auth.test();
      return {
        team: answer.team_id ?? '',
        teamName: answer.team ?? '',
        user: answer.user ?? '',
        /** Empty for the token of a person. */
        botId: answer.bot_id ?? '',
        app: answer.app_id || (answer.bot_id ? await appOf(answer.bot_id) : undefined),
        scopes: answer.response_metadata?.scopes,
      };
    },
    /** Asks Slack for the address of a Socket Mode connection, but does not connect. */
    async tryAppToken(appToken: string): Promise<void> {
      await clientOf(appToken).apps.connections.open();
    },
    /** The user groups. Empty on a plan without user groups. */
    async groups(): Promise<readonly SurveyedGroup[]> {
      const { usergroups = [] } = await api.read.usergroups.list();
      return usergroups.map(({ id = '', handle, name }) => ({ id, name: handle ?? name ?? id }));
    },
    /** Undefined if no person in the workspace has this id. */
    async person(id: string): Promise<{ readonly name: string; readonly deleted: boolean } | undefined> {
      try {
        const { user } = await api.read.users.info({ user: id });
        return user && { name: user.real_name ?? user.name ?? id, deleted: user.deleted === true };
      } catch (error) {
        if (['user_not_found', 'user_not_visible'].includes(slackErrorCode(error) ?? '')) return undefined;
        throw error;
      }
    },
    /**
     * The members with this user name, real name or display name. Several members may have the same name. `complete` is
     * false if the workspace has more members than the search reads.
     */
    async peopleCalled(
      name: string,
    ): Promise<{ readonly found: readonly SurveyedGroup[]; readonly complete: boolean }> {
      const wanted = name.replace(/^@/, '').toLowerCase();
      const found: SurveyedGroup[] = [];
      let cursor: string | undefined;
      for (let read = 0; read < MOST_MEMBERS; read += PAGE) {
        const page = await api.read.users.list({ limit: PAGE, ...(cursor ? { cursor } : {}) });
        for (const { id = '', name: handle = '', real_name = '', profile, deleted, is_bot } of page.members ??
          [])
          if (
            !deleted &&
            !is_bot &&
            [handle, real_name, profile?.display_name ?? ''].some((one) => one.toLowerCase() === wanted)
          )
            found.push({ id, name: real_name || handle });
        cursor = page.response_metadata?.next_cursor;
        if (!cursor) return { found, complete: true };
      }
      return { found, complete: false };
    },
    /** `channel` is an id, or a name with or without `#`. Throws DeliveryError on failure. */
    async post(channel: string, line: Line): Promise<void> {
      const identity = () => {
        throw new AppError('slack-survey', 'The survey looks for no message.');
      };
      await createPosts(api, identity).post({ channel }, line, { key: 'setup' });
    },
    /** Reads the settings of an app. `token` is a person's configuration token. */
    async manifestOf(token: string, app: string): Promise<PresentManifest> {
      const { manifest } = await clientOf(token).apps.manifest.export({ app_id: app });
      return (manifest ?? {}) as PresentManifest;
    },
    /** Makes an app from a manifest. `token` is a person's configuration token. */
    async createApp(token: string, manifest: ReturnType<typeof createManifest>) {
      const answer = await clientOf(token).apps.manifest.create({ manifest });
      const { app_id = '', credentials } = answer;
      return { app: app_id, signingSecret: credentials?.signing_secret };
    },
  };

  async function appOf(bot: string): Promise<string | undefined> {
    const answer = await api.read.bots.info({ bot }).catch(() => undefined);
    return answer?.bot?.app_id;
  }
}

/** The id of the app that an app-level token belongs to, for example `A0123ABCD` in `xapp-1-A0123ABCD-…`. */
export function appIn(appToken: string): string | undefined {
  return /^xapp-\d-(A[A-Z0-9]+)-/.exec(appToken)?.[1];
}
