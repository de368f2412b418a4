import type { Config } from '../config.ts';
import { type Finding, ok, warning, wrong } from '../finding.ts';
import { createAgent, fetchOn } from '../proxy.ts';

const ANSWER_MS = 10_000;
/**
 * A smaller difference is not reported. The network can cause such a difference, and the header contains only whole
 * seconds.
 */
const NOTICED_MS = 30_000;
/** If the clocks differ by more than this, the bot refuses Slack's requests (docs.slack.dev, verifying requests). */
const TOO_MUCH_MS = 5 * 60_000;

/** Compares this machine's clock with the clock of the first service that answers. */
export async function examineClock(
  { slack, discord, edgegap }: Pick<Config, 'slack' | 'discord' | 'edgegap'>,
  now: () => number,
): Promise<Finding[]> {
  const services: [name: string, url: string][] = [
    ...(slack
      ? [
          ['Slack', new URL('api.test', ending(slack.apiUrl ?? 'https://slack.com/api')).href] as [
            string,
            string,
          ],
        ]
      : []),
    ...(discord
      ? [['Discord', `${discord.apiUrl ?? 'https://discord.com/api'}/v10/gateway`] as [string, string]]
      : []),
    ['Edgegap', edgegap.apiUrl],
  ];
  for (const [name, url] of services) {
    const skew = await skewOf(url, edgegap.proxy, now);
    if (skew !== undefined) return [findingOf(name, skew)];
  }
  return [];
}

function ending(url: string): string {
  return `${url.replace(/\/+$/, '')}/`;
}

/** How far this machine is ahead, in milliseconds. Undefined if the answer contains no time. */
async function skewOf(
  url: string,
  proxy: Config['edgegap']['proxy'],
  now: () => number,
): Promise<number | undefined> {
  const fetch = fetchOn(proxy && createAgent(proxy));
  const sent = now();
  const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) }).catch(
    () => undefined,
  );
  const received = now();
  await answer?.body?.cancel();
  const said = Date.parse(answer?.headers.get('date') ?? '');
  // The server wrote the header between the two local times. The header leaves out fractions of a second, so half a
  // second is added on average.
  return Number.isNaN(said) ? undefined : (sent + received) / 2 - (said + 500);
}

function findingOf(service: string, skew: number): Finding {
  const check = 'clock';
  const seconds = Math.round(Math.abs(skew) / 1000);
  const says = `This machine’s clock is ${seconds} seconds ${skew > 0 ? 'ahead of' : 'behind'} ${service}’s clock.`;
  const mend = 'Let the machine set its clock by NTP, for example with timedatectl set-ntp true.';
  if (Math.abs(skew) >= TOO_MUCH_MS)
    return wrong(
      check,
      `${says} Beyond five minutes, the bot refuses Slack’s requests, and the ends of lifetimes come at the wrong time.`,
      mend,
    );
  return Math.abs(skew) >= NOTICED_MS
    ? warning(check, `${says} Times in messages are off by as much.`, mend)
    : ok(check, `This machine’s clock agrees with ${service}’s clock.`);
}
