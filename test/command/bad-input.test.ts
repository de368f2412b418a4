import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultCatalog } from '../../src/simulator/catalog.ts';
import { requestId } from '../../src/simulator/identity.ts';
import { driverNames } from '../support/bot.ts';
import type { Values } from '../support/chat-driver.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import {
  deployElsewhere,
  deployReady,
  type Effect,
  effectOf,
  type Stage,
  stageOn,
  typeLine,
} from './harness.ts';

/** With this seed, the request_ids of the first two deployments begin with the same characters. */
const seed =
  Array.from({ length: 100 }, (_, n) => `seed-${n}`).find(
    (one) => requestId(one, 1)[0] === requestId(one, 2)[0],
  ) ?? '';
const first = requestId(seed, 1);
const KART = { application: 'kart-racing', version: 'v1.2', near: 'Tokyo' };
const PLAYER = { application: 'kart-racing', version: 'v1.2', ip: '203.0.113.7' };
const PENDING = defaultCatalog.fleets?.[0]?.hosts.find(({ status }) => status === 'PENDING')?.host_id ?? '';
const FULL =
  defaultCatalog.fleets?.[0]?.hosts.find(
    ({ status, allocated, allocatable }) => status === 'ACTIVE' && allocated.cpu >= allocatable.cpu,
  )?.host_id ?? '';
const LONG = 'x'.repeat(10_000);

/** Wrong input that is possible on every platform, and the words of the answer. */
const cases: readonly [title: string, command: string, values: Values, says: RegExp][] = [
  [
    'an unknown application',
    'deploy',
    { ...KART, application: 'cart-racing' },
    /no application .cart-racing.*Did you mean kart-racing/,
  ],
  [
    'an application without a similar name',
    'deploy',
    { ...KART, application: 'zzz' },
    /no application.*arena-shooter, .*lobby-chat/,
  ],
  [
    'an inactive application',
    'deploy',
    { ...KART, application: 'retired-prototype' },
    /retired-prototype. is switched off.*dashboard/,
  ],
  ['a bulk stop without a match', 'bulk-stop', { tag: 'nope' }, /No running server matches/],
  ['a tag for servers of which there are none', 'tags add', { tag: 'new', of: 'nope' }, /No running server/],
  ['an unknown version', 'deploy', { ...KART, version: 'v9' }, /kart-racing has no version .v9.*v1\.[23]/],
  [
    'an inactive version',
    'deploy',
    { ...KART, version: 'v1.1' },
    /v1\.1. of kart-racing is switched off.*v1\.2/,
  ],
  [
    'an unknown city',
    'deploy',
    { ...KART, near: 'Montreol' },
    /no location .Montreol.*Did you mean Montreal/,
  ],
  ['a city in another country', 'deploy', { ...KART, near: 'Paris, Texas' }, /no location .Paris, Texas/],
  [
    'a host name in place of an IP address',
    'deploy',
    { ...KART, ip: 'localhost' },
    /localhost. is not an IP address.*203\.0\.113\.7/,
  ],
  [
    'a variable without a value',
    'deploy',
    { ...KART, env: 'MODE' },
    /Variable 1 of env has no equals sign.*MODE=race/,
  ],
  [
    'a variable whose name has a blank',
    'deploy',
    { ...KART, env: '"MY MODE=race"' },
    /Variable 1 of env has a name that cannot be used/,
  ],
  [
    'a value of 5 KB',
    'deploy',
    { ...KART, env: `BIG=${'x'.repeat(5_000)}` },
    /The value of BIG has 5000 bytes; at most 4096 fit/,
  ],
  [
    'too little CPU',
    'deploy',
    { ...KART, cpu: 99, memory: 100 },
    /cpu must be a whole number from 100 .*not .99/,
  ],
  ['CPU without memory', 'deploy', { ...KART, cpu: 512 }, /cpu and memory belong together/],
  [
    'memory of more than twice the CPU',
    'deploy',
    { ...KART, cpu: 512, memory: 1025 },
    /memory may be at most twice cpu, which is 1024 MiB.*raise cpu to at least 513/,
  ],
  ['coordinates of no place', 'deploy', { ...KART, near: '91,0' }, /No place has the coordinates .91,0/],
  ['an unknown city among several', 'deploy', { ...KART, near: 'Tokyo; Atlantis' }, /no location .Atlantis/],
  ['an unknown fleet', 'deploy', { ...KART, fleet: 'nope' }, /no private fleet .nope/],
  ['a host without a fleet', 'deploy', { ...KART, host: 'h' }, /A host alone does not say of which fleet/],
  [
    'an unknown host',
    'deploy',
    { ...KART, fleet: 'tournament', host: 'tournament-montrael-0' },
    /tournament has no host .tournament-montrael-0.*Did you mean tournament-montreal-0/,
  ],
  [
    'a host that is not ready yet',
    'deploy',
    { ...KART, fleet: 'tournament', host: PENDING },
    new RegExp(`The host .${PENDING}. takes no servers yet.*PENDING`),
  ],
  [
    'a host without room',
    'deploy',
    { ...KART, fleet: 'tournament', host: FULL },
    new RegExp(`No room for kart-racing v1\\.2 now on ${FULL}.*Nothing was deployed`),
  ],
  [
    'a log storage named yes',
    'deploy',
    { ...PLAYER, 'log-storage': 'yes' },
    /log-storage needs the name of an endpoint storage/,
  ],
  [
    'a variable with a name of 300 characters',
    'deploy',
    { ...KART, env: `${'N'.repeat(300)}=1` },
    /has a name of 300 characters; at most 255 fit/,
  ],
  [
    'a fleet without room',
    'deploy',
    { ...KART, fleet: 'empty-fleet' },
    /No host of empty-fleet has room for kart-racing v1\.2/,
  ],
  [
    'a command beside a city',
    'deploy',
    { ...KART, command: '/bin/server' },
    /With command, Edgegap takes only the addresses of players.*(--ip|ip:) 203\.0\.113\.7.*in place of near/,
  ],
  [
    'a command beside resources',
    'deploy',
    { ...PLAYER, command: '/bin/server', cpu: 512, memory: 512 },
    /command and cpu cannot be combined.*older API takes command/,
  ],
  [
    'arguments beside a fleet',
    'deploy',
    { ...PLAYER, arguments: '--map harbour', fleet: 'tournament' },
    /arguments and fleet cannot be combined/,
  ],
  [
    'a log storage without addresses of players',
    'deploy',
    { application: 'kart-racing', version: 'v1.2', 'log-storage': 'match-logs' },
    /With log-storage, Edgegap takes only the addresses of players/,
  ],
  [
    'a wrong IP address beside a right IP address',
    'deploy',
    { ...KART, ip: '203.0.113.7,256.1.1.1' },
    /256\.1\.1\.1. is not an IP/,
  ],
  [
    'a private IP address',
    'deploy',
    { ...KART, ip: '192.168.0.10' },
    /192\.168\.0\.10. is a private address/,
  ],
  ['a tag of 21 characters', 'deploy', { ...KART, tag: 'a'.repeat(21) }, /has 21 characters; at most 20/],
  ['the bot’s own tag', 'deploy', { ...KART, tag: 'chatops-0123456789ab' }, /I keep the tag .*for myself/],
  ['an unknown preset', 'deploy', { preset: 'nope' }, /no preset .nope.*No preset has been saved here yet/],
  [
    'a preset name with spaces',
    'deploy',
    { preset: 'my qa' },
    /my qa. cannot be the name.*no spaces, like my-qa/,
  ],
  [
    'a preset name with spaces',
    'preset save',
    { name: 'my qa', ...KART },
    /my qa. cannot be the name.*letters from a to z.*no spaces, like my-qa/,
  ],
  ['a preset name of 33 characters', 'preset save', { name: 'x'.repeat(33), ...KART }, /1 to 32 letters/],
  ['an emoji as preset name', 'preset save', { name: '🏎️', ...KART }, /🏎️. cannot be the name of a preset/],
  [
    'a preset with an unknown version',
    'preset save',
    { name: 'qa', ...KART, version: 'v9' },
    /kart-racing has no version .v9/,
  ],
  ['a preset with a private IP', 'preset save', { name: 'qa', ip: '10.0.0.1' }, /10\.0\.0\.1. is a private/],
  ['an unknown preset', 'preset show', { name: 'nope' }, /no preset .nope/],
  ['an unknown preset', 'preset delete', { name: 'nope' }, /no preset .nope/],
  [
    'an emoji as the name of an application',
    'deploy',
    { ...KART, application: '🏎️🏁' },
    /no application .🏎️🏁/,
  ],
  ['a very long name of an application', 'deploy', { ...KART, application: LONG }, /10\d\d\d characters/],
  ['a place with a control character', 'deploy', { ...KART, near: 'Mon\u0007treal' }, /control character/],
  ['a place that consists of blanks', 'deploy', { ...KART, near: '   ' }, /value/],
  ['an unknown deployment', 'status', { deployment: 'ffffffffffff' }, /no server with this request\\?_id/],
  ['an unknown deployment', 'logs', { deployment: 'ffffffffffff' }, /no server with this request\\?_id/],
  ['an unknown deployment', 'stop', { deployment: 'ffffffffffff' }, /no server with this request\\?_id/],
  ['an unknown deployment', 'tags add', { deployment: 'ffffffffffff', tag: 'x' }, /no server with this/],
  [
    'the beginning of several request_ids',
    'stop',
    { deployment: first[0] ?? '' },
    new RegExp(`Several servers.*begin with.*${first}`),
  ],
  ['a path in place of a request_id', 'status', { deployment: '../x' }, /\.\.\/x. is not a request.id/],
  [
    'a percent escape in place of a request_id',
    'logs',
    { deployment: '%2e%2e' },
    /%2e%2e. is not a request.id/,
  ],
  ['blanks in a request_id', 'stop', { deployment: 'a b' }, /a b. is not a request.id/],
  ['an emoji in place of a request_id', 'tags list', { deployment: '🏁' }, /🏁. is not a request.id/],
  ['a very long request_id', 'status', { deployment: LONG }, /request.id|10\d\d\d characters/],
  [
    'too large a number of lines',
    'logs',
    { deployment: first, lines: 5001 },
    /lines must be a whole number from 1 to 5000/,
  ],
  ['zero as the number of lines', 'logs', { deployment: first, lines: 0 }, /from 1 to 5000, not .0/],
  ['a page before the first', 'list', { page: 0 }, /page must be a whole number from 1/],
  ['an unknown status', 'list', { status: 'happy' }, /status must be one of ready, .*not .happy/],
  ['an unknown application', 'list', { application: 'nope' }, /no application .nope/],
  [
    'adding a tag that the deployment already has',
    'tags add',
    { deployment: first, tag: 'qa' },
    /has the tag .qa. already.*Nothing was changed/,
  ],
  [
    'removing a tag that the deployment does not have',
    'tags remove',
    { deployment: first, tag: 'nope' },
    /no tag .nope.*The server has: qa/,
  ],
  [
    'renaming to a tag that the deployment has',
    'tags rename',
    { deployment: first, tag: 'qa', 'new-name': 'beta' },
    /has the tag .beta. already/,
  ],
  [
    'renaming a tag to its own name',
    'tags rename',
    { deployment: first, tag: 'qa', 'new-name': 'qa' },
    /Both names are the same/,
  ],
  [
    'adding with two tags',
    'tags add',
    { deployment: first, tag: 'a', to: 'b' },
    /no (longer has the )?option .*to/,
  ],
  ['listing with a tag', 'tags list', { deployment: first, tag: 'qa' }, /no (longer has the )?option .*tag/],
  [
    'a subcommand that is unknown',
    'tags burn',
    { deployment: first },
    /has no subcommand .burn.*There are: list, show, add, remove, rename|tags is registered here in an outdated form/,
  ],
  [
    'adding the bot’s own tag',
    'tags add',
    { deployment: first, tag: 'chatops-0123456789ab' },
    /I keep the tag .*for myself/,
  ],
  [
    'removing the bot’s own tag',
    'tags remove',
    { deployment: first, tag: 'chatops-0123456789ab' },
    /I keep the tag .*for myself/,
  ],
  [
    'renaming the bot’s own tag',
    'tags rename',
    { deployment: first, tag: 'chatops-0123456789ab', 'new-name': 'x' },
    /I keep the tag .*for myself/,
  ],
  [
    'renaming to the bot’s own tag',
    'tags rename',
    { deployment: first, tag: 'qa', 'new-name': 'chatops-0123456789ab' },
    /I keep the tag .*for myself/,
  ],
  [
    'help on an unknown command',
    'help',
    { command: 'depoly' },
    /no command .depoly. for you.*Did you mean deploy/,
  ],
  [
    'an unknown application',
    'versions',
    { application: 'cart-racing' },
    /no application .cart-racing.*kart-racing/,
  ],
  [
    'an unknown version',
    'versions',
    { application: 'kart-racing', version: 'v9' },
    /kart-racing has no version .v9.*There are: v1\.3, v1\.2, v1\.1/,
  ],
  [
    'a version without its application',
    'locations',
    { version: 'v1.2' },
    /alone does not say.*(--application|application:) kart-racing/,
  ],
  [
    'an inactive version',
    'locations',
    { application: 'kart-racing', version: 'v1.1' },
    /v1\.1. of kart-racing is switched off/,
  ],
  ['an unknown city', 'locations', { near: 'Montreol' }, /no location .Montreol.*Did you mean Montreal/],
  ['an unknown fleet', 'hosts', { fleet: 'nope' }, /no private fleet .nope.*dashboard shows all fleets/],
  ['a path in place of a fleet', 'hosts', { fleet: '..' }, /not a name that Edgegap can be asked about/],
  [
    'an unknown host',
    'hosts',
    { fleet: 'tournament', host: 'tournament-montrael-0' },
    /tournament has no host .tournament-montrael-0.*Did you mean tournament-montreal-0/,
  ],
  [
    'an application without a version',
    'hosts',
    { fleet: 'tournament', application: 'kart-racing' },
    /does not say how much.*(--version|version:) v1\.2/,
  ],
  [
    'a version without its application',
    'hosts',
    { fleet: 'tournament', version: 'v1.2' },
    /alone does not say.*(--application|application:) kart-racing/,
  ],
];

/** Input in which a value is missing. On platforms with forms, the answer is a form, or a menu for the application. */
const incomplete: typeof cases = [
  [
    'a deploy without a place',
    'deploy',
    { application: 'kart-racing', version: 'v1.2' },
    /do not know where to deploy.*(--near|near:) Montreal.*DEFAULT_NEAR/,
  ],
  [
    'neither an application nor a preset',
    'deploy',
    { near: 'Tokyo' },
    /deploy needs an application.*Use: .*deploy/,
  ],
  [
    'adding without a tag',
    'tags add',
    { deployment: first },
    /tags add needs a tag: the tag to add.*Use: (\/edgegap )?tags add \[<deployment>\] <tag>/,
  ],
  [
    'renaming without a new name',
    'tags rename',
    { deployment: first, tag: 'qa' },
    /tags rename needs a new-name: the new name of the tag/,
  ],
  [
    'a bulk stop without a filter',
    'bulk-stop',
    {},
    /Without a filter.*Nothing was stopped.*(--all|all: True)/,
  ],
  [
    'deploying nothing',
    'deploy',
    {},
    /deploy needs an application.*There are: .*kart-racing.*Use: (\/edgegap )?deploy <application> \[<version>\]/,
  ],
  [
    'a preset without options',
    'preset save',
    { name: 'qa' },
    /needs at least one option of deploy.*For example/,
  ],
  ['showing no deployment', 'status', {}, /status needs a deployment/],
  [
    'hosts of no fleet',
    'hosts',
    {},
    /hosts needs a fleet: the private fleet.*(dashboard shows the names|There (?:is|are): tournament)/,
  ],
  ['versions of no application', 'versions', {}, /versions needs an application.*There are: .*kart-racing/],
];

/** Wrong input in typed lines. Discord's own fields do not allow this input. */
const lines: readonly [line: string, says: RegExp][] = [
  ['depoly kart-racing v1.2', /no command .depoly.*Did you mean (\/edgegap )?deploy/],
  ['frobnicate', /no command .frobnicate.*There are: bulk-stop, deploy, doctor, help, home, hosts/],
  ['deploy kart-raching', /no application .kart-raching.*Did you mean kart-racing/],
  ['deploy kart-racing v1.2 Tokyo', /do not know what to do with .Tokyo.*Use: (\/edgegap )?deploy/],
  ['deploy kart-racing v1.2 -near Tokyo', /Did you mean --near/],
  ['deploy kart-racing v1.2 --naer Tokyo', /no option .--naer.*Did you mean --near/],
  ['deploy kart-racing v1.2 --near', /--near needs a value/],
  ['deploy kart-racing v1.2 --near --tag qa', /--near needs a value/],
  ['deploy kart-racing v1.2 --near Tokyo --near Atlantis', /no location .Atlantis/],
  ['deploy kart-racing v1.2 --cached --cached', /cached is given twice/],
  ['deploy kart-racing v1.2 --near Tokyo --env A=1 --env A=2', /env sets A twice/],
  ['deploy kart-racing v1.2 --near Tokyo --env A="two words', /opened with " and never closed/],
  [
    'deploy kart-racing v1.2 --near Tokyo --env A=two words',
    /A word after the value of --env belongs to no option.*Put a value with spaces in quotation marks/,
  ],
  ['deploy kart-racing v1.2 --near "New York', /opened with " and never closed/],
  ['deploy kart-racing v1.2 --near “New York', /opened with “ and never closed/],
  ['deploy @nope', /no preset .nope.*No preset has been saved here yet/],
  ['deploy @qa @night', /preset is given twice/],
  ['preset save my qa kart-racing v1.2', /do not know what to do with .v1\.2.*Use: .*preset save <name>/],
  ['status a b', /do not know what to do with .b/],
  ['logs @last --lines many', /whole number from 1 to 5000, not .many/],
  [`deploy ${'y'.repeat(10_000)}`, /application is 10000 characters long; at most 64 fit/],
];

describe.each(driverNames)('bad input on %s', (name) => {
  let stage: Stage;
  let before: unknown;

  beforeAll(async () => {
    stage = await stageOn(name, { simulator: { seed } });
    await deployReady(stage, 'kart-racing', 'v1.2', 'qa,beta');
    await deployReady(stage);
    before = worldOf(stage);
  });
  afterAll(() => stage?.close());

  const refused = (effect: Effect, says: RegExp) => {
    expect(effect.publicly).toEqual([]);
    expect(effect.privately).toHaveLength(1);
    const [answer] = effect.privately;
    const shown = (answer?.text ?? '').replaceAll(/\\([^A-Za-z0-9\s])/g, '$1').replaceAll(/\s+/g, ' ');
    expect(shown).toMatch(says);
    expect(shown.length, 'it is not repeated at length').toBeLessThan(700);
    expect(answer?.pings).toEqual([]);
    expect(effect.asked.filter((call) => !call.startsWith('GET'))).toEqual([]);
    expect(worldOf(stage)).toEqual(before);
  };

  test.each(cases.map(([title, command, values, says]) => ({ title, command, values, says })))(
    '$command refuses $title and changes nothing',
    async ({ command, values, says }) => {
      const effect = await effectOf(stage, 'operator', () =>
        stage.driver.command('operator', command, values),
      );
      refused(effect, says);
    },
  );

  test.each(incomplete.map(([title, command, values, says]) => ({ title, command, values, says })))(
    '$command asks for more after $title and changes nothing',
    async ({ command, values, says }) => {
      const ask = () => stage.driver.command('operator', command, values);
      if (name === 'console') return refused(await effectOf(stage, 'operator', ask), says);
      const { opened } = stage.driver as DiscordDriver | SlackDriver;
      const earlier = opened();
      const menus = (await stage.driver.privately('operator')).length;
      await ask();
      const asked = await stage.driver.privately('operator');
      if (asked.length > menus) expect(asked.at(-1)?.text).toContain('Then a form asks for');
      else expect(opened()).toBe(earlier + 1);
      expect(worldOf(stage)).toEqual(before);
    },
  );

  if (name !== 'discord')
    test.each(lines.map(([line, says]) => ({ line, says, title: line.slice(0, 60) })))(
      'the typed line "$title" is refused and changes nothing',
      async ({ line, says }) => {
        refused(await effectOf(stage, 'operator', () => typeLine(stage, 'operator', line)), says);
      },
    );
});

test.each(['console', 'discord'] as const)(
  'if the city in DEFAULT_NEAR does not exist, the answer on %s names that city',
  async (name) => {
    const stage = await stageOn(name, { environment: { DEFAULT_NEAR: 'Atlantis' } });
    try {
      const { near: _, ...values } = KART;
      const effect = await effectOf(stage, 'operator', () =>
        stage.driver.command('operator', 'deploy', values),
      );
      expect(effect.publicly).toEqual([]);
      expect(effect.privately[0]?.text).toMatch(/My default place.*Atlantis.*cannot be used/s);
      expect(effect.privately[0]?.text).toMatch(/(--near|near:) Montreal.*DEFAULT.{0,2}NEAR/s);
      expect(stage.simulator.deployments.size).toBe(0);
    } finally {
      await stage.close();
    }
  },
);

test('a deployment made outside the chat is found by the first characters of its request_id', async () => {
  const stage = await stageOn('console');
  try {
    const id = await deployElsewhere(stage.simulator, 'kart-racing', 'v1.2');
    const short = await effectOf(stage, 'operator', () =>
      typeLine(stage, 'operator', `status ${id.slice(0, 6)}`),
    );
    expect(short.privately[0]?.text).toContain(id);
    const whole = await effectOf(stage, 'operator', () => typeLine(stage, 'operator', `status ${id}`));
    expect(whole.privately[0]?.text).toContain('Ready');
  } finally {
    await stage.close();
  }
});

function worldOf({ simulator }: Stage) {
  return [...simulator.deployments.values()].map(({ request_id, tags, history }) => ({
    request_id,
    tags: tags.map((tag) => tag.name),
    phase: history.at(-1)?.phase,
  }));
}
