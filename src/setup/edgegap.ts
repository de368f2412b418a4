import { systemClock } from '../clock.ts';
import type { Application } from '../edgegap/catalogue.ts';
import { EdgegapClient } from '../edgegap/client.ts';
import { bareToken, isTokenRefused, TOKENS_PAGE } from '../edgegap/token.ts';
import { AppError } from '../errors.ts';
import { someOf } from '../finding.ts';
import type { SetupContext } from './context.ts';
import { askFor, choose, listOf, SetupError } from './prompter.ts';

const ALL = 'all';

/** Asks for Edgegap's token, and checks the token against Edgegap. */
export async function setUpEdgegap(context: SetupContext): Promise<void> {
  const { prompter, draft } = context;
  prompter.say(`\nEdgegap\n  Open ${TOKENS_PAGE}, create a token, and copy the token.`);
  const present = draft.get('EDGEGAP_API_TOKEN');
  await askFor(
    prompter,
    {
      key: 'EDGEGAP_API_TOKEN',
      text: 'Edgegap API token',
      secret: true,
      ...(present === undefined ? {} : { fallback: present }),
    },
    async (answer) => {
      const applications = await applicationsOf(context, answer);
      const names = applications.map(({ name }) => name);
      prompter.say(
        names.length === 0
          ? '  The token works. The account has no application yet: create one in the Edgegap dashboard.'
          : `  The token works. Applications: ${someOf(names, 10)}.`,
      );
      await draft.set('EDGEGAP_API_TOKEN', answer, true);
    },
  );
}

/** Asks which applications people may deploy. */
export async function setUpApplications(context: SetupContext): Promise<void> {
  const { prompter, draft } = context;
  const token = draft.get('EDGEGAP_API_TOKEN');
  if (token === undefined) throw new SetupError('EDGEGAP_API_TOKEN is not set.', 'Run setup edgegap first.');
  const applications = (await applicationsOf(context, token)).map(({ name }) => ({ id: name, name }));
  prompter.say(`\nApplications that people may use\n${listOf(applications)}`);
  await askFor(
    prompter,
    {
      key: 'APP_ALLOWLIST',
      text: `Numbers or names, separated by commas, or ${ALL}`,
      fallback: draft.get('APP_ALLOWLIST') ?? ALL,
    },
    async (answer) => {
      if (answer.toLowerCase() === ALL) return await draft.set('APP_ALLOWLIST', '', true);
      const chosen = choose(answer, applications, 'application').map(({ name }) => name);
      await draft.set('APP_ALLOWLIST', chosen.join(','), true);
    },
  );
}

/** The applications of the account. Throws AppError if Edgegap refuses the token. */
export async function applicationsOf(
  { edgegapUrl, proxy, log }: SetupContext,
  token: string,
): Promise<readonly Application[]> {
  const client = new EdgegapClient({
    baseUrl: edgegapUrl,
    token: bareToken(token),
    proxy,
    clock: systemClock,
    log,
    timeoutMs: 10_000,
  });
  try {
    return await client.applications();
  } catch (error) {
    if (!(error instanceof AppError) || !isTokenRefused(error)) throw error;
    throw new SetupError(error.userMessage, `Copy a token from ${TOKENS_PAGE}.`);
  } finally {
    await client.close();
  }
}
