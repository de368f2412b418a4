import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderMessage as renderConsole } from '../src/adapters/console/render.ts';
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
  askedBy: { id: 'ada', name: 'Ada' },
  createdAt: READY - 14_000,
  readyAt: READY,
  endedAt: undefined,
  error: undefined,
  note: undefined,
  again: undefined,
  stopping: false,
};

test('the README shows a card exactly as the terminal prints it', () => {
  let button = 0;
  const lines = renderConsole(deploymentCard({ ...view, askedBy: { id: 'you', name: 'you' } }), {
    color: false,
    columns: undefined,
    now: READY,
    timeZone: 'UTC',
    mark: 'edited',
    numberOf: () => [3, 4, 5, 1, 2][button++],
    placeOf: () => '',
  });
  expect(README).toContain(lines.join('\n'));
});
