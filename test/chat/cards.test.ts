import { describe, expect, test } from 'vitest';
import { ACTION_ID_LENGTH, decodeActionId, encodeActionId } from '../../src/chat/action-id.ts';
import { type Card, plainText, stepsText } from '../../src/chat/card.ts';
import { errorCard } from '../../src/command/error-card.ts';
import { type DeploymentView, deploymentCard, duration, statusFace } from '../../src/deployments/card.ts';
import { DeploymentStatus } from '../../src/edgegap/schema.ts';
import { InputError } from '../../src/errors.ts';

const view: DeploymentView = {
  request_id: '93924761ccde',
  application: 'kart-racing',
  version: 'v1.2',
  status: 'READY',
  place: 'Montreal, Canada',
  fqdn: '93924761ccde.pr.edgegap.net',
  public_ip: '198.51.100.7',
  ports: [{ name: 'gameport', protocol: 'UDP', link: '93924761ccde.pr.edgegap.net:31000' }],
  tags: ['qa'],
  askedBy: { id: 'ada', name: 'Ada' },
  createdAt: 1_000,
  readyAt: 13_000,
  endedAt: undefined,
  error: undefined,
  note: undefined,
  again: undefined,
  stopping: false,
};

const texts = (card: Card) =>
  card.nodes.flatMap((node) => (node.kind === 'text' || node.kind === 'note' ? [plainText(node.text)] : []));
const buttons = (card: Card) =>
  card.nodes.flatMap((node) => (node.kind === 'buttons' ? node.buttons.map(({ label }) => label) : []));

describe('the steps on the card of a deployment', () => {
  const stepsOf = (more: Partial<DeploymentView>) =>
    deploymentCard({ ...view, readyAt: undefined, ...more }).nodes.flatMap((node) =>
      node.kind === 'steps' ? [plainText(stepsText(node))] : [],
    );
  test.each([
    ['REQUESTING', '▸ Requesting → ○ Location found → ○ Deployed → ○ Ready'],
    ['REQUESTED', '✓ Requested → ▸ Looking for a location → ○ Deployed → ○ Ready'],
    ['SEEKING', '✓ Requested → ▸ Looking for a location → ○ Deployed → ○ Ready'],
    ['SEEKED', '✓ Requested → ✓ Location found → ▸ Deploying → ○ Ready'],
    ['DEPLOYING', '✓ Requested → ✓ Location found → ▸ Deploying → ○ Ready'],
  ])('a deployment with the status %s shows the right steps', (status, steps) => {
    expect(stepsOf({ status })).toEqual([steps]);
  });

  test.each<[string, Partial<DeploymentView>]>([
    ['READY', { readyAt: 13_000 }],
    ['ERROR', {}],
    ['ERROR', { readyAt: 13_000 }],
    ['TERMINATED', { endedAt: 20_000 }],
    ['LOST', {}],
    ['A_NEW_STATUS', {}],
  ])('a deployment with the status %s shows no steps', (status, more) => {
    expect(stepsOf({ status, ...more })).toEqual([]);
  });

  test('the card of a starting deployment says how long the version usually takes, until the server is ready', () => {
    const words = (more: Partial<DeploymentView>) =>
      texts(deploymentCard({ ...view, usualMs: 14_000, ...more })).join();
    expect(words({ status: 'DEPLOYING', readyAt: undefined })).toContain('usually ready after 14 s');
    expect(words({})).not.toContain('usually');
  });
});

describe('the buttons on the card of a deployment', () => {
  const port = { name: 'admin', internal: 80, external: 30112 };
  test.each([
    ['HTTP', 'host.example:30112', 'http://host.example:30112'],
    ['HTTPS', 'host.example:30112', 'https://host.example:30112'],
    ['HTTP, TLS', 'host.example:30112', 'https://host.example:30112'],
    ['HTTPS', 'https://host.example:30112', 'https://host.example:30112'],
    ['TCP', 'host.example:30112', undefined],
    ['WS', 'host.example:30112', undefined],
  ])('a port with the protocol %s and the link %s has the button %s', (protocol, link, url) => {
    const [found] = deploymentCard({ ...view, ports: [{ ...port, protocol, link }] }).nodes.flatMap((node) =>
      node.kind === 'buttons' ? node.buttons.filter((button) => 'url' in button) : [],
    );
    expect(found).toEqual(url && { label: 'Open admin', url });
  });

  test('an answer always links to the dashboard, but a live card links to the dashboard only if the person has to look there', () => {
    const dashboard = 'https://example.com/servers/{request_id}';
    const link = (status: string, isAnswer?: true) =>
      deploymentCard({ ...view, status }, { dashboard, ...(isAnswer ? { isAnswer } : {}) }).nodes.flatMap(
        (node) =>
          node.kind === 'buttons' ? node.buttons.flatMap((one) => ('url' in one ? one.url : [])) : [],
      );
    expect(link('READY')).toEqual([]);
    expect(link('READY', true)).toEqual(['https://example.com/servers/93924761ccde']);
    expect(link('LOST')).toEqual(['https://example.com/servers/93924761ccde']);
  });
});

const failedAfter = (last_status: string) =>
  DeploymentStatus.parse({ request_id: '93924761ccde', current_status: 'ERROR', last_status });

/** Every time of day and date on the card. */
const instants = (card: Card) =>
  card.nodes.flatMap((node) =>
    node.kind === 'text' || node.kind === 'note'
      ? node.text.flatMap((inline) => (typeof inline === 'object' && 'time' in inline ? [inline.time] : []))
      : [],
  );

describe('the card of a deployment', () => {
  test.each<[string, Partial<DeploymentView>]>([
    ['DEPLOYING', { readyAt: undefined }],
    ['READY', { endsAt: 90_000 }],
    ['ERROR', { failedAt: 73_000 }],
    ['TERMINATED', { endedAt: 73_000 }],
    ['UNKNOWN', { readyAt: undefined }],
  ])('the card of a deployment with the status %s shows no time twice', (status, more) => {
    const shown = instants(deploymentCard({ ...view, status, ...more }));
    expect(shown.length).toBeGreaterThan(0);
    expect(shown).toEqual([...new Set(shown)]);
    expect(shown.filter((time) => time < 90_000)).toHaveLength(1);
  });

  test('if Edgegap does not know a server that counts as running, the card shows the status as uncertain', () => {
    expect(deploymentCard({ ...view, isDoubted: true, note: 'Edgegap knows no such server.' }).tone).toBe(
      'warning',
    );
  });

  test('the card of a ready server shows the address first, then the status in one line, and the other facts in small print', () => {
    const card = deploymentCard(view);
    expect(card.tone).toBe('success');
    expect(plainText(card.title)).toBe('kart-racing v1.2');
    expect(texts(card)).toEqual([
      '93924761ccde.pr.edgegap.net:31000 gameport (UDP)',
      'Ready 1970-01-01T00:00:13.000Z · started in 12 s',
      'Montreal, Canada · IP 198.51.100.7 · tags qa · request_id 93924761ccde · deployed by Ada',
    ]);
    expect(card.nodes.map(({ kind }) => kind)).toEqual(['text', 'text', 'note', 'buttons']);
    expect(buttons(card)).toEqual(['Logs', 'Metrics', 'Tags', 'Refresh', 'Stop']);
  });

  test.each([
    ['REQUESTING', { request_id: undefined, readyAt: undefined }, /^Requesting · started \S+$/, []],
    ['DEPLOYING', { readyAt: undefined }, /^Deploying · started \S+$/, ['Refresh', 'Stop']],
    ['ERROR', { readyAt: undefined }, /^Failed$/, ['Logs', 'Refresh', 'Stop']],
    ['ERROR', { failedAt: 73_000 }, /^Failed \S+ · ran for 1 min$/, ['Logs', 'Metrics', 'Refresh', 'Stop']],
    [
      'ERROR',
      { readyAt: undefined, failedAt: 73_000, told: failedAfter('SEEKING') },
      /^Failed \S+ · at the step “Looking for a location”$/,
      ['Refresh', 'Stop'],
    ],
    ['TERMINATING', {}, /^Stopping$/, ['Refresh']],
    ['TERMINATED', { endedAt: 73_000 }, /^Stopped \S+ · ran for 1 min$/, []],
    ['REFUSED', { request_id: undefined, readyAt: undefined }, /^Not deployed$/, []],
    [
      'LOST',
      { request_id: undefined, readyAt: undefined, again: 'abc' },
      /^May have started$/,
      ['Deploy again'],
    ],
    ['HIBERNATING', { readyAt: undefined }, /^HIBERNATING$/, ['Refresh', 'Stop']],
  ] as [string, Partial<DeploymentView>, RegExp, string[]][])(
    'the card of a deployment with the status %s shows the right words and buttons',
    (status, more, words, labels) => {
      const card = deploymentCard({ ...view, status, ...more });
      expect(texts(card)[0]).toMatch(words);
      expect(buttons(card)).toEqual(labels);
      expect(texts(card).join()).not.toContain('pr.edgegap.net');
    },
  );

  test('a card shows the reason of a failure unchanged, because secrets in the reason were masked earlier', () => {
    const error = 'Edgegap does not accept my API token: it is missing or wrong.';
    expect(deploymentCard({ ...view, status: 'REFUSED', error }).nodes).toContainEqual({
      kind: 'text',
      text: [error],
    });
  });

  test('if a deployment has no version, the title of its card does not end with a space', () => {
    expect(plainText(deploymentCard({ ...view, version: '' }).title)).toBe('kart-racing');
  });

  test('a deployment status that the bot does not know is shown unchanged', () => {
    expect(statusFace('HIBERNATING')).toEqual({ tone: 'neutral', words: 'HIBERNATING' });
    expect(statusFace('toString')).toEqual({ tone: 'neutral', words: 'toString' });
  });
});

test.each([
  [-5, '0 s'],
  [400, '0 s'],
  [59_400, '59 s'],
  [60_000, '1 min'],
  [245_000, '4 min 5 s'],
  [3_600_000, '1 h'],
  [7_380_000, '2 h 3 min'],
  [169_200_000, '47 h'],
  [172_800_000, '2 d'],
  [275_640_000, '3 d 4 h'],
  [23_976 * 3_600_000, '999 d'],
])('a duration of %i ms is shown as "%s"', (ms, words) => {
  expect(duration(ms)).toBe(words);
});

describe('an error card', () => {
  const failed = (error: unknown, begun: boolean, effect?: string) =>
    errorCard({ error, incident: 'cafe', begun, effect });

  test.each([
    ['Ask an administrator.', 'Nothing was deployed. Ask an administrator.'],
    ['Nothing was sent.', 'Nothing was sent.'],
    ['', 'Nothing was deployed.'],
  ])('if a command had no effect, its error card says this exactly once (hint: "%s")', (hint, text) => {
    const card = failed(new InputError('x', 'It is wrong.', { hint }), true, 'Nothing was deployed.');
    expect(card.nodes[0]).toEqual({ kind: 'text', text: [text] });
  });

  test('the card of an expected error shows a sentence, advice and a reference', () => {
    const card = failed(new InputError('x', 'It is wrong.', { hint: 'Do it right.' }), true);
    expect(plainText(card.title)).toBe('It is wrong.');
    expect(card.nodes).toEqual([
      { kind: 'text', text: ['Do it right.'] },
      { kind: 'note', text: ['Reference cafe'] },
    ]);
  });

  test('the error card of an unexpected error shows only a general sentence and a reference', () => {
    const card = failed(new TypeError('cannot read /var/secret'), true);
    const text = JSON.stringify(card);
    expect(text).toContain('cafe');
    expect(text).toContain('part of the request may have been done');
    expect(text).not.toMatch(/secret|TypeError/);
    expect(JSON.stringify(failed(new TypeError('x'), false))).toContain('Nothing was done.');
  });
});

describe('the id of a button', () => {
  test.each([
    { command: 'stop', action: 'confirm', arg: '93924761ccde' },
    { command: 'list', action: 'page', arg: '2.a_b-c' },
    { command: 'x', action: 'y', arg: '' },
    { command: 'x', action: 'y', arg: 'a:b:c' },
  ])('an action that is encoded as the id of a button is decoded to the same action: %j', (action) => {
    expect(decodeActionId(encodeActionId(action))).toEqual(action);
  });

  test.each([
    '',
    'stop',
    'stop:confirm',
    'Stop:confirm:x',
    ':a:b',
    'stop:con firm:x',
    `a:b:${'x'.repeat(100)}`,
  ])('the id %j belongs to no button of the bot', (id) => {
    expect(decodeActionId(id)).toBeUndefined();
  });

  test('encoding a button id that is too long throws an error', () => {
    expect(() => encodeActionId({ command: 'a', action: 'b', arg: 'x'.repeat(ACTION_ID_LENGTH) })).toThrow(
      /longer/,
    );
  });
});
