import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderMessage as renderConsole } from '../src/adapters/console/render.ts';
import { renderMessage as renderDiscord } from '../src/adapters/discord/render.ts';
import { render as renderSlack } from '../src/adapters/slack/render.ts';
import { type DeploymentView, deploymentCard } from '../src/deployments/card.ts';

const README = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');

const READY = Date.UTC(2026, 10, 23, 14, 20, 2);
const view: DeploymentView = {
  request_id: '4a370e513c4e',
  application: 'kart-racing',
  version: 'v1.2',
  status: 'READY',
  place: 'Montreal, Canada',
  fqdn: '4a370e513c4e.pr.edgegap.net',
  public_ip: '198.51.100.161',
  ports: [
    { name: 'gameport', protocol: 'UDP', link: '4a370e513c4e.pr.edgegap.net:32106' },
    { name: 'http', protocol: 'TCP', link: '4a370e513c4e.pr.edgegap.net:31048' },
  ],
  tags: ['qa'],
  askedBy: 'Ada',
  createdAt: READY - 14_000,
  readyAt: READY,
  endedAt: undefined,
  error: undefined,
  note: undefined,
  again: undefined,
  stopping: false,
};

test("the README shows the terminal's card exactly as the terminal prints the card", () => {
  let button = 0;
  const lines = renderConsole(deploymentCard({ ...view, askedBy: 'you' }), {
    color: false,
    columns: undefined,
    now: READY,
    timeZone: 'UTC',
    mark: 'edited',
    numberOf: () => [3, 4, 1, 2][button++],
    placeOf: () => '',
  });
  expect(README).toContain(lines.join('\n'));
});

test('the README shows the Discord card exactly as the bot sends the card to Discord', () => {
  const seen = texts(renderDiscord(deploymentCard(view)))
    .flatMap((text) => text.split('\n'))
    .map((line) => line.replace(/^(###|-#) /, '').replace(/\*\*|`|\\/g, ''))
    .map((line) => line.replace(/<t:\d+:R>/, '2 minutes ago').replace(/<t:\d+:f>/, '23 November 2026 14:19'));
  expect(README).toContain(withButtons(seen, '┃ ').join('\n'));
});

test('the README shows the Slack card exactly as the bot sends the card to Slack', () => {
  const { blocks } = renderSlack(deploymentCard(view));
  const seen = blocks
    .map((block) => texts(block).join(''))
    .join('\n')
    .replace(/LogsMetricsRefreshStop$/, 'Logs\nMetrics\nRefresh\nStop')
    .replace(/<!date\^\d+\^\{date_short_pretty\} at \{time\}[^>]*>/, 'Today at 2:19 PM');
  expect(README).toContain(withButtons(seen.split('\n'), '').join('\n'));
});

/** The buttons are the last four texts, and stand side by side. */
function withButtons(lines: readonly string[], edge: string): string[] {
  const buttons = lines.slice(-4).map((label) => `[ ${label} ]`);
  return [...lines.slice(0, -4), buttons.join(' ')].map((line) => edge + line);
}

/** All texts of a payload that a person reads, in order. */
function texts(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  if ('type' in part && part.type === 'date') return ['2 minutes ago'];
  return Object.entries(part).flatMap(([key, value]) =>
    ['content', 'label', 'text'].includes(key) && typeof value === 'string' ? [value] : texts(value),
  );
}
