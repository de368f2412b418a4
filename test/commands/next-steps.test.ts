import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployReady, effectOf, type Stage, stageOn } from '../command/harness.ts';
import { cardOf } from '../support/lifetimes.ts';
import { texts } from '../support/planned-stops.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

describe.each(['console', 'discord', 'slack-http'] as const)('the buttons of a card on %s', (name) => {
  let stage: Stage;
  let id: string;
  beforeAll(async () => {
    const environment = { DASHBOARD_URL: 'https://dashboard.example/{request_id}' };
    stage = await stageOn(name, { environment });
    id = await deployReady(stage, 'kart-racing', 'v1.2', 'qa');
  });
  afterAll(() => stage?.close());

  const press = (label: string) => effectOf(stage, 'operator', () => stage.driver.press('operator', label));
  const shownButton = async (label: string) =>
    await until(async () => (await cardOf(stage, id))?.buttons.includes(label), `the button ${label}`);

  test('the button "Tags" of a ready server shows the tags only to the person who pressed', async () => {
    const { privately, publicly } = await press('Tags');
    expect(texts(privately)).toContain('qa');
    if (name !== 'console') expect(publicly).toEqual([]);
  });

  test('after a press of Refresh, the live card says that the bot has just asked Edgegap', async () => {
    expect((await cardOf(stage, id))?.text).not.toContain('checked');
    await press('Refresh');
    await until(async () => (await cardOf(stage, id))?.text.includes('checked'), 'the card');
  });

  test('an answer of "status" links to the page of the dashboard, but the live card does not', async () => {
    const status = () => stage.driver.command('operator', 'status', { deployment: id });
    const { privately } = await effectOf(stage, 'operator', status);
    const shown = JSON.stringify(privately);
    expect(shown).toContain('Dashboard');
    expect((await cardOf(stage, id))?.buttons).not.toContain('Dashboard');
  });

  test('the card of an ended server has the buttons "Logs" and "Deploy again", and "Logs" shows the saved log', async () => {
    stage.simulator.print(id, 'the last words');
    await press('Stop');
    await effectOf(stage, 'operator', () => stage.driver.press('operator', 'Stop it'));
    stage.speed(20);
    await shownButton('Deploy again');
    stage.speed(1);
    expect((await cardOf(stage, id))?.buttons).toEqual(['Logs', 'Deploy again']);
    expect(texts((await press('Logs')).privately)).toContain('the last words');
  });
});

describe('the steps of a deploy', () => {
  test('after three servers have become ready, the card of the next deploy says how long a start usually takes', async () => {
    const stage = await stageOn('discord');
    try {
      for (let count = 0; count < 3; count++) {
        const id = await deployReady(stage);
        expect((await cardOf(stage, id))?.text).not.toContain('usually');
      }
      stage.simulator.faults.next({ endpoint: 'deploy' }, { kind: 'slow', when: 'before', ms: 500 });
      const values = { application: 'kart-racing', version: 'v1.2', near: 'Montreal' };
      await stage.driver.command('operator', 'deploy', values);
      const isNew = (text: string) =>
        /▸ Requesting .*usually ready after \d+ s|usually ready after \d+ s/s.test(text);
      await until(
        async () => (await stage.driver.channel()).some(({ text }) => isNew(text)),
        'the usual time',
      );
    } finally {
      await stage.close();
    }
  });

  test('in a Slack workspace that refuses plan blocks, the steps of a deploy appear as a line of text', async () => {
    const stage = await stageOn('slack-http');
    const { server } = stage.driver as SlackDriver;
    try {
      server.faults.inject('chat.postMessage', { kind: 'error', error: 'invalid_blocks' });
      const id = await deployReady(stage);
      const posts = server.requests.filter(({ method }) => method === 'chat.postMessage');
      const [first = '', second = ''] = posts.map(({ params }) => params.blocks);
      expect(first).toContain('"type":"plan"');
      expect(second).not.toContain('"type":"plan"');
      expect(second).toContain('▸ Requesting');
      const later = await deployReady(stage);
      expect(later).not.toBe(id);
      const blocks = server.requests.map(({ params }) => params.blocks ?? '');
      expect(blocks.filter((one) => one.includes('"type":"plan"'))).toHaveLength(1);
    } finally {
      await stage.close();
    }
  });
});
