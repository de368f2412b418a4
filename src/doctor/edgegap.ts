import { systemClock } from '../clock.ts';
import { namesakes } from '../command/same-name.ts';
import type { Config } from '../config.ts';
import { type EdgegapApi, EdgegapClient } from '../edgegap/client.ts';
import { DOCUMENTED_LIMITS, shareOfLimits } from '../edgegap/scheduler.ts';
import { isTokenRefused, TOKENS_PAGE } from '../edgegap/token.ts';
import { AppError } from '../errors.ts';
import { type Finding, ok, someOf, warning, wrong } from '../finding.ts';
import type { Logger } from '../log.ts';

const ANSWER_MS = 10_000;
/** The names of the headers in which many HTTP services state a rate limit. Edgegap does not document these headers. */
const LIMIT_HEADER = /^(?:x-)?ratelimit(?:-(limit|remaining|reset))?$/i;

type Examined = Pick<Config, 'edgegap' | 'applicationAllowlist' | 'defaultNear' | 'fleets' | 'deployLimits'>;

/**
 * Asks Edgegap whether the token, the applications, the location, the fleets and the limits are right. The running bot
 * passes its own `api`, so that the bot's rate limits include the doctor's requests.
 */
export async function examineEdgegap(config: Examined, log: Logger, api?: EdgegapApi): Promise<Finding[]> {
  const { token, apiUrl, proxy, share } = config.edgegap;
  if (token === undefined) return [];
  if (api) return await findings(config, api);
  const client = new EdgegapClient({
    baseUrl: apiUrl,
    token,
    proxy,
    clock: systemClock,
    log,
    limits: shareOfLimits(share),
    timeoutMs: ANSWER_MS,
  });
  try {
    return await findings(config, client);
  } finally {
    await client.close();
  }
}

async function findings(config: Examined, api: EdgegapApi): Promise<Finding[]> {
  let limits = '';
  try {
    const applications = await api.applications();
    const [places, fleets, running] = await Promise.all([
      ofPlace(api, config.defaultNear),
      Promise.all(config.fleets.map((fleet) => ofFleet(api, fleet))),
      api.deployments(
        { limit: 1 },
        {
          answered(headers) {
            limits = limitsIn(headers);
          },
        },
      ),
    ]);
    return [
      ok('edgegap.token', `Edgegap accepts EDGEGAP_API_TOKEN.`),
      ...ofApplications(applications, config.applicationAllowlist),
      ...places,
      ...fleets.flat(),
      ofLimits(config.edgegap.share, limits),
      ofRunning(running.total_count, config.deployLimits.running),
    ];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [
      isTokenRefused(error)
        ? wrong(
            'edgegap.token',
            error.userMessage,
            `Make a token at ${TOKENS_PAGE}, and set EDGEGAP_API_TOKEN.`,
          )
        : wrong('edgegap.reachable', error.userMessage, error.hint ?? 'Look at the Edgegap dashboard.'),
    ];
  }
}

function ofApplications(
  all: readonly { readonly name: string; readonly is_active: boolean }[],
  allowed: readonly string[] | undefined,
): Finding[] {
  const check = 'edgegap.applications';
  if (all.length === 0)
    return [
      warning(
        check,
        'The Edgegap account has no application, so nothing can be deployed.',
        'Create an application in the Edgegap dashboard.',
      ),
    ];
  const unknown = (allowed ?? []).filter((name) => !all.some((one) => one.name === name));
  const usable = all.filter(({ name, is_active }) => is_active && (allowed?.includes(name) ?? true));
  const found: Finding[] = unknown.map((name) =>
    wrong(
      check,
      `APP_ALLOWLIST names ${name}, which is no application of the Edgegap account.`,
      `Correct the name. The account has: ${someOf(all.map((one) => one.name))}.`,
    ),
  );
  if (usable.length === 0)
    found.push(
      warning(
        check,
        'No application that the bot may use is active.',
        'Activate an application in the Edgegap dashboard.',
      ),
    );
  return found.length > 0
    ? found
    : [
        ok(
          check,
          `People can deploy ${usable.length} applications: ${someOf(usable.map(({ name }) => name))}.`,
        ),
      ];
}

async function ofPlace(api: EdgegapApi, city: string | undefined): Promise<Finding[]> {
  if (city === undefined) return [];
  const { locations } = await api.locations();
  const names = locations.map((one) => one.city).filter((name) => name !== undefined);
  const [same] = namesakes(city, names, (name) => name);
  return [
    same === undefined
      ? wrong(
          'edgegap.place',
          `DEFAULT_NEAR names ${city}, where Edgegap has no location.`,
          `Choose one of the cities that the command locations shows, for example ${someOf([...new Set(names)], 3)}.`,
        )
      : ok('edgegap.place', `Edgegap has a location in ${same}, the city of DEFAULT_NEAR.`),
  ];
}

async function ofFleet(api: EdgegapApi, fleet: string): Promise<Finding[]> {
  try {
    const hosts = await api.hosts(fleet);
    return [ok('edgegap.fleets', `The private fleet ${fleet} has ${hosts.length} hosts.`)];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [
      wrong(
        'edgegap.fleets',
        `FLEETS names ${fleet}: ${error.userMessage}`,
        'Correct the name in FLEETS, or remove the fleet.',
      ),
    ];
  }
}

function ofLimits(share: number, told: string): Finding {
  const { deploy, status, list, hosts } = shareOfLimits(share);
  const all = DOCUMENTED_LIMITS;
  return ok(
    'edgegap.limits',
    `With EDGEGAP_SHARE=${share} the bot sends at most ${deploy} of ${all.deploy} deploys, ${status} of ${all.status} status requests, ${list} of ${all.list} lists and ${hosts} of ${all.hosts} requests for hosts a second.${told}`,
  );
}

function ofRunning(running: number, most: number): Finding {
  const check = 'edgegap.running';
  const says = `${running} servers run in the Edgegap account.`;
  if (most === 0)
    return ok(
      check,
      `${says} MAX_RUNNING sets no limit; Edgegap’s own limit depends on the plan (free tier: one).`,
    );
  return running >= most
    ? warning(
        check,
        `${says} MAX_RUNNING=${most} allows no more from chat if chat deployed them.`,
        'Stop a server, or raise MAX_RUNNING.',
      )
    : ok(check, `${says} MAX_RUNNING=${most} leaves at least ${most - running}.`);
}

/** A sentence with the limits in the headers of Edgegap's answer. */
function limitsIn(headers: Readonly<Record<string, string | string[] | undefined>>): string {
  const told = Object.entries(headers).filter(([name]) => LIMIT_HEADER.test(name));
  return told.length === 0
    ? ' Edgegap’s answers do not tell how much is left.'
    : ` Edgegap tells: ${told.map(([name, value]) => `${name}: ${String(value).slice(0, 40)}`).join(', ')}.`;
}
