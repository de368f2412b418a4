import type { Directory } from '../command/define.ts';
import type { Logger } from '../log.ts';
import type { Proxies } from '../proxy.ts';
import type { Draft } from './draft.ts';
import type { Prompter } from './prompter.ts';

/** The objects that every step of the setup uses. */
export interface SetupContext {
  readonly prompter: Prompter;
  readonly draft: Draft;
  readonly directory: Directory;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  readonly edgegapUrl: string;
  readonly discordUrl: string | undefined;
  readonly slackUrl: string | undefined;
  readonly proxy: Proxies | undefined;
  /** The public https address of the bot, if Slack should use HTTP mode. */
  readonly httpUrl: string | undefined;
}
