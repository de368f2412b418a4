import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ActionRef } from '../../src/chat/card.ts';
import { loadCommands } from '../../src/command/load.ts';
import { menuActions } from '../../src/command/on-card.ts';
import type { Permission } from '../../src/command/permissions.ts';
import {
  deployElsewhere,
  deployReady,
  effectOf,
  phase,
  pressAction,
  type Stage,
  stageOn,
} from '../command/harness.ts';
import type { DriverName } from '../support/bot.ts';
import {
  type ChatDriver,
  type MenuHands,
  type Persona,
  personas,
  type Values,
} from '../support/chat-driver.ts';
import { until } from '../support/test-clock.ts';

interface Use {
  readonly what: string;
  readonly permission: Permission;
  /** A command or an action. It changes something if the person has the permission. */
  readonly command?: readonly [name: string, values: (id: string) => Values];
  readonly action?: (id: string) => ActionRef;
  /** An action in the menu that platforms show beside a message. */
  readonly entry?: string;
}

const on = (what: string, permission: Permission, values: (id: string) => Values = () => ({})): Use => ({
  what,
  permission,
  command: [what, values],
});
const press = (what: string, permission: Permission, arg: (id: string) => string = (id) => id): Use => {
  const [command = '', action = ''] = what.split(':');
  return { what, permission, action: (id) => ({ command, action, arg: arg(id) }) };
};

/** Every command and every button. A new command or button makes the first test fail until it has a line here. */
const uses: readonly Use[] = [
  on('help', 'help'),
  press('help:topic', 'help', () => ''),
  on('menu', 'help'),
  on('list', 'deployments.read'),
  press('list:page', 'deployments.read', () => '1.'),
  press('list:open', 'deployments.read'),
  on('versions', 'deployments.read', () => ({ application: 'kart-racing' })),
  press('versions:page', 'deployments.read', () => '1.'),
  on('locations', 'deployments.read'),
  press('locations:page', 'deployments.read', () => '1.'),
  on('hosts', 'deployments.read', () => ({ fleet: 'tournament' })),
  press('hosts:page', 'deployments.read', () => '1.'),
  on('status', 'deployments.read', (deployment) => ({ deployment })),
  press('status:refresh', 'deployments.read'),
  on('logs', 'deployments.read', (deployment) => ({ deployment })),
  press('logs:show', 'deployments.read'),
  press('logs:share', 'deployments.read'),
  press('logs:refresh', 'deployments.read'),
  // The bot would keep editing the message of a followed log, so the test stops the following.
  press('logs:follow', 'deployments.read', () => '000000000000'),
  press('logs:unfollow', 'deployments.read'),
  on('metrics', 'deployments.read', (deployment) => ({ deployment })),
  press('metrics:show', 'deployments.read'),
  press('metrics:window', 'deployments.read'),
  on('tags list', 'deployments.read', (deployment) => ({ deployment })),
  on('tags show', 'deployments.read', (deployment) => ({ deployment, tag: 'qa' })),
  on('tags add', 'deployments.tag', (deployment) => ({ deployment, tag: 'new' })),
  on('tags remove', 'deployments.tag', (deployment) => ({ deployment, tag: 'qa' })),
  on('tags rename', 'deployments.tag', (deployment) => ({ deployment, tag: 'qa', 'new-name': 'b' })),
  press('tags:show', 'deployments.read'),
  press('tags:confirm', 'deployments.tag', () => 'no-such-plan'),
  press('tags:cancel', 'deployments.tag', () => 'no-such-plan'),
  press('tags:again', 'deployments.tag', () => 'no-such-plan'),
  on('deploy', 'deployments.deploy', () => ({ application: 'kart-racing', version: 'v1.2', near: 'Tokyo' })),
  press('deploy:again', 'deployments.deploy', () => 'abcdefghijkl'),
  press('deploy:elsewhere', 'deployments.deploy', () => 'abcdefghijkl'),
  press('deploy:confirm', 'deployments.deploy', () => 'no-such-question'),
  press('deploy:cancel', 'deployments.deploy', () => 'no-such-question'),
  press('deploy:extend', 'deployments.deploy', (id) => `${id}.1`),
  press('deploy:keep', 'deployments.deploy', (id) => `${id}.1`),
  on('preset list', 'deployments.read'),
  press('preset:page', 'deployments.read', () => '1.'),
  on('preset show', 'deployments.read', () => ({ name: 'qa' })),
  on('preset save', 'presets.change', () => ({ name: 'qa', application: 'kart-racing', near: 'Tokyo' })),
  on('preset delete', 'presets.change', () => ({ name: 'qa' })),
  on('stop', 'deployments.stop', (deployment) => ({ deployment })),
  on('bulk-stop', 'deployments.stop', () => ({ tag: 'qa' })),
  press('bulk-stop:confirm', 'deployments.stop', () => 'no-such-plan'),
  press('bulk-stop:cancel', 'deployments.stop', () => 'no-such-plan'),
  press('bulk-stop:again', 'deployments.stop', () => 'no-such-plan'),
  press('stop:ask', 'deployments.stop'),
  press('stop:confirm', 'deployments.stop'),
  press('stop:cancel', 'deployments.stop'),
  press('stop:revoke', 'deployments.stop', (id) => `${id}.0123456789ab`),
  on('home', 'deployments.read'),
  press('home:refresh', 'deployments.read', () => ''),
  on('orphans', 'deployments.read'),
  press('orphans:page', 'deployments.read', () => '1.'),
  press('orphans:open', 'deployments.read'),
  press('orphans:refresh', 'deployments.read'),
  press('orphans:adopt', 'deployments.deploy', () => `000000000000.3600000`),
  on('self-stop', 'bot.operate'),
  press('self-stop:confirm', 'bot.operate', () => 'self'),
  press('self-stop:cancel', 'bot.operate', () => 'self'),
  on('doctor', 'bot.inspect'),
];

/** Every action in the menu of a card. */
const entries: readonly Use[] = (
  [
    ['Logs', 'deployments.read'],
    ['Metrics', 'deployments.read'],
    ['Stop', 'deployments.stop'],
    ['Deploy again', 'deployments.deploy'],
  ] as const
).map(([entry, permission]) => ({ what: `the entry ${entry}`, permission, entry }));

type Level = 'nothing' | 'open' | 'read' | 'inspect' | 'change';
const order: readonly Level[] = ['nothing', 'open', 'read', 'inspect', 'change'];

interface Setting {
  readonly title: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The permission level of each persona. */
  readonly levels: Readonly<Record<Persona, Level>>;
}

const nobody = { stranger: 'nothing', elsewhere: 'nothing' } as const;
const unset = {
  DISCORD_OPERATOR_ROLES: '',
  DISCORD_READER_ROLES: '',
  SLACK_OPERATORS: '',
  SLACK_READERS: '',
};
const byGroups = { ...nobody, guest: 'open', member: 'open', reader: 'read', admin: 'open' } as const;
const configured: Setting = {
  title: 'groups configured',
  environment: {},
  levels: { ...byGroups, operator: 'change' },
};
const everyone: Setting = {
  title: 'everyone may read',
  environment: { DISCORD_READER_ROLES: 'everyone', SLACK_READERS: 'everyone' },
  levels: { ...nobody, guest: 'read', member: 'read', reader: 'read', operator: 'change', admin: 'read' },
};
const readOnly: Setting = {
  title: 'READ_ONLY',
  environment: { READ_ONLY: '1' },
  levels: { ...byGroups, operator: 'inspect' },
};
const discordUnset: Setting = {
  title: 'no groups configured',
  environment: unset,
  levels: { ...nobody, guest: 'open', member: 'open', reader: 'open', operator: 'open', admin: 'change' },
};
const slackUnset: Setting = {
  title: 'no groups configured',
  environment: unset,
  levels: { ...nobody, guest: 'open', member: 'read', reader: 'read', operator: 'read', admin: 'change' },
};

const stages: readonly [DriverName, Setting][] = [
  ...[configured, everyone, readOnly, discordUnset].map(
    (setting) => ['discord', setting] as [DriverName, Setting],
  ),
  ...[configured, everyone, readOnly, slackUnset].map(
    (setting) => ['slack-http', setting] as [DriverName, Setting],
  ),
  ['slack-socket', configured],
];

const REFUSALS = {
  nothing: /I do not serve this place/,
  read: /You may not look at servers here/,
  inspect: /Only operators may examine the bot/,
  change: /You may not change servers here/,
  readOnly: /I am set to read-only/,
} as const;
const ANY_REFUSAL = /do not serve|You may not (?:look at|change) servers|Only operators|read-only/;

const levelOf: Readonly<Record<Permission, 'open' | 'read' | 'inspect' | 'change'>> = {
  help: 'open',
  'deployments.read': 'read',
  'deployments.deploy': 'change',
  'deployments.stop': 'change',
  'deployments.tag': 'change',
  'presets.change': 'change',
  'bot.operate': 'change',
  'bot.inspect': 'inspect',
};

test('the table of permissions in this test contains every command, every button and every action in the menu of a card', async () => {
  const directory = await loadCommands(join(import.meta.dirname, '..', '..', 'commands'));
  const all = directory.all.flatMap(({ name, entries, actions }) => [
    ...entries.map((entry) => entry.name),
    ...Object.keys(actions).map((action) => `${name}:${action}`),
  ]);
  expect(uses.map(({ what }) => what).toSorted()).toEqual(all.toSorted());
  expect(entries.map(({ entry }) => entry).toSorted()).toEqual(
    menuActions(directory)
      .map(({ label }) => label)
      .toSorted(),
  );
});

const titled = stages.map(([name, setting]) => ({ name, setting, title: setting.title }));

describe.each(titled)('permissions on $name, $title', ({ name, setting }) => {
  let stage: Stage;
  let id = '';
  /** The id of a message of the bot. */
  let message = '';

  beforeAll(async () => {
    stage = await stageOn(name, { environment: setting.environment });
    id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2', ['qa']);
    // The id of a message in the channel with the buttons to press.
    const reader = personas.find((one) => order.indexOf(setting.levels[one]) >= 2) ?? 'operator';
    await effectOf(stage, reader, () =>
      stage.driver.command(reader, 'logs', { deployment: id, share: true }),
    );
    message = (await stage.driver.channel()).at(-1)?.id ?? '';
  });
  afterAll(() => stage?.close());

  // The personas with more permissions come last, so that their changes do not affect the refusals.
  test.each(personas.toSorted((a, b) => order.indexOf(setting.levels[a]) - order.indexOf(setting.levels[b])))(
    'a person of the kind "%s" can use exactly the commands and buttons that the settings allow',
    async (persona) => {
      const level = setting.levels[persona];
      for (const use of [...uses, ...entries]) {
        const needed = levelOf[use.permission];
        const before = worldOf(stage);
        const effect = await effectOf(stage, persona, () => {
          if (use.entry)
            return (stage.driver as ChatDriver & MenuHands).fromMenu(persona, message, use.entry);
          if (use.action) return pressAction(stage, persona, use.action(id));
          const [command, values] = use.command ?? ['', () => ({})];
          // This test checks only the permission. Other tests check the effects of the command.
          const harmless: Values =
            command === 'deploy' && level === 'change' ? { application: 'no-such' } : {};
          return stage.driver.command(persona, command, { ...values(id), ...harmless });
        });
        const answers = [...effect.privately, ...effect.publicly].map(({ text }) => text).join('\n');
        if (order.indexOf(level) >= order.indexOf(needed)) {
          expect(answers, `${persona} may ${use.what}`).not.toMatch(ANY_REFUSAL);
          continue;
        }
        expect(effect.publicly, `${use.what}: nothing in the channel`).toEqual([]);
        // On a slow machine, the test takes longer than a minute, and the bot itself reads the list once a minute.
        const asked = effect.asked.filter((one) => one !== 'GET list' || use.what === 'list');
        expect(asked, `${use.what}: nothing asked of Edgegap`).toEqual([]);
        expect(effect.privately).toHaveLength(1);
        expect(answers, `${persona} may not ${use.what}`).toMatch(REFUSALS[reason(level, use, setting)]);
        expect(answers).not.toMatch(/kart-racing|edgegap\.net|v1\.2|Montreal|\bqa\b/);
        expect(answers).not.toContain(id);
        expect(worldOf(stage)).toEqual(before);
      }
      const help = await effectOf(stage, persona, () => stage.driver.command(persona, 'help'));
      const shown = help.privately.map(({ text }) => text).join('\n');
      for (const [command, needed] of Object.entries({ help: 'open', list: 'read', stop: 'change' } as const))
        expect(new RegExp(`\\b${command}\\b`).test(shown), `help of ${persona} shows ${command}`).toBe(
          order.indexOf(level) >= order.indexOf(needed),
        );
    },
  );
});

function reason(level: Level, { what, permission }: Use, { environment }: Setting): keyof typeof REFUSALS {
  if (level === 'nothing') return 'nothing';
  // A person who may not even list tags or presets gets no hint about the permission to change them.
  const lacksLeast = /^(?:tags|preset) /.test(what) && level === 'open';
  if (lacksLeast || levelOf[permission] === 'read') return 'read';
  if (levelOf[permission] === 'inspect') return 'inspect';
  return environment.READ_ONLY ? 'readOnly' : 'change';
}

/** The state that must be the same before and after a refusal. */
function worldOf({ simulator }: Stage) {
  return [...simulator.deployments.values()].map(({ request_id, tags }) => ({
    request_id,
    tags: tags.map((tag) => tag.name),
    phase: phase(simulator, request_id),
  }));
}

describe.each(['discord', 'slack-http', 'slack-socket'] as const)(
  'a role that a person loses on %s',
  (name) => {
    let stage: Stage;
    let id = '';

    beforeAll(async () => {
      stage = await stageOn(name);
      id = await deployReady(stage);
    });
    afterAll(() => stage?.close());

    test('if a person loses the operator role before pressing a button, the person cannot stop a server', async () => {
      const { driver, simulator } = stage;
      await effectOf(stage, 'operator', () => driver.command('operator', 'stop', { deployment: id }));
      await driver.regroup('operator', []);
      for (const label of ['Stop it', 'Keep it', 'Stop', 'Logs', 'Metrics', 'Refresh']) {
        const effect = await effectOf(stage, 'operator', () => driver.press('operator', label));
        expect(effect.publicly, label).toEqual([]);
        expect(effect.asked, label).toEqual([]);
        expect(effect.privately.at(-1)?.text, label).toMatch(ANY_REFUSAL);
        expect(phase(simulator, id)).toBe('READY');
      }
      await driver.regroup('operator', ['readers']);
      const logs = await effectOf(stage, 'operator', () => driver.press('operator', 'Logs'));
      expect(logs.privately.map(({ text }) => text).join()).toContain('Log of');
      await driver.regroup('operator', ['operators']);
      await driver.press('operator', 'Stop it');
      await until(() => phase(simulator, id) === 'TERMINATED', 'it to be stopped after all');
    });
  },
);

test("if a person presses a button that the bot does not know, nothing happens, whatever the button's name is", async () => {
  const stage = await stageOn('slack-http');
  try {
    await deployReady(stage);
    for (const action of ['constructor', 'gone'])
      for (const persona of ['operator', 'stranger'] as const) {
        const press = () => pressAction(stage, persona, { command: 'stop', action, arg: 'x' });
        const effect = await effectOf(stage, persona, press);
        expect(effect.publicly).toEqual([]);
        expect(effect.asked).toEqual([]);
        expect(effect.privately.at(-1)?.text).toMatch(
          persona === 'operator' ? /older version|another version/ : REFUSALS.nothing,
        );
      }
  } finally {
    await stage.close();
  }
});
