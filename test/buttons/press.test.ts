import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCommands } from '../../src/command/load.ts';
import { type Effect, effectUntil } from '../command/harness.ts';
import type { Persona } from '../support/chat-driver.ts';
import { until } from '../support/test-clock.ts';
import { type CardName, cards, controlOn, type Made, pass } from './cards.ts';
import { type Control, controlsOf, ended, endings, nameOf, type Press, press } from './controls.ts';
import { type House, openHouse } from './house.ts';
import { actionsOn, type Behaviour, behaviourOf, behaviours } from './table.ts';

const REFUSAL = /You may not (?:look at|change)|Only operators/;
const PRESSED_TWICE = /You pressed this button a moment ago/;
/** Longer than the time in which a second press counts as accidental, and longer than the bot's interval for tasks. */
const A_MOMENT = 8_000;

const cardNames = Object.keys(cards) as CardName[];
/**
 * How many kinds of messages share a bot. A small number keeps the channel short, so that a message is found quickly.
 */
const SHARED = 6;
const parts = Array.from({ length: Math.ceil(cardNames.length / SHARED) }, (_, nth) =>
  cardNames.slice(nth * SHARED, (nth + 1) * SHARED),
);
const houses = (['discord', 'slack-http'] as const).flatMap((platform) =>
  parts.map((part, nth) => ({ platform, part, title: `${platform}, part ${nth + 1}` })),
);

test('the table of buttons contains every action of every command, and each action appears on a message of the table', async () => {
  const directory = await loadCommands(join(import.meta.dirname, '..', '..', 'commands'));
  const all = directory.all.flatMap(({ name, actions }) =>
    Object.keys(actions).map((one) => `${name}:${one}`),
  );
  expect(Object.keys(behaviours)).toEqual(expect.arrayContaining(all));
  expect(new Set(Object.values(actionsOn).flat())).toEqual(new Set(Object.keys(behaviours)));
});

describe.each(houses)('the buttons on $title', ({ platform, part }) => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(platform);
  });
  afterAll(() => house?.close());

  describe.each(part)('the buttons of messages on %s', (card) => {
    let made: Made | undefined;
    const fresh = async () => {
      made ??= await cards[card](house);
      return made;
    };

    test('the messages have exactly the buttons that the table lists', async () => {
      const { message } = await fresh();
      const found = (await controlsOf(house, 'operator'))
        .filter((one) => one.message === message)
        .map(nameOf);
      expect(new Set(found)).toEqual(new Set(actionsOn[card]));
    });

    test.each(actionsOn[card])(
      'the button %s refuses a person without the right, acts only once, and then explains the result of the first press',
      async (name) => {
        const { message, server = '' } = await fresh();
        const pressed = await controlOn(house, made ?? { message }, name);
        const behaviour = behaviourOf(card, name);
        if (!behaviour.isOpen) await isRefused(house, pressed, behaviour, server);
        await actsOnce(house, pressed, behaviour, server);
        if (behaviour.spent) made = undefined;
        await staysAnswered(house, pressed, behaviour, server);
      },
    );
  });
});

/** Checks that a person who lacks the right gets a private refusal without details, and that nothing else happens. */
async function isRefused(
  house: House,
  pressed: Control,
  { changes }: Behaviour,
  server: string,
): Promise<void> {
  const { driver } = house;
  const isPublic = (await driver.channel()).some(({ id }) => id === pressed.message);
  const persona: Persona = isPublic ? (changes ? 'reader' : 'member') : 'operator';
  // Only one person sees a private message, so this person has to lose the right.
  if (!isPublic) await driver.regroup('operator', changes ? ['readers'] : []);
  const { effect, forms } = await effectsOf(house, persona, pressed, 1, server);
  if (!isPublic) await driver.regroup('operator', ['operators']);
  expect(effect.privately).toHaveLength(1);
  const [{ id = '', text = '' } = {}] = effect.privately;
  expect(id).not.toBe(pressed.message);
  expect(text).toMatch(REFUSAL);
  expect(text).not.toMatch(/lobby-chat|stable|Montreal|edgegap\.net/);
  if (server !== '') expect(text).not.toContain(server);
  expect(forms).toEqual([]);
  // While the bot follows a log, it also reads the log and edits the message itself.
  if (nameOf(pressed) === 'logs:unfollow') return;
  expect(effect.publicly.filter(({ id, edits }) => id === pressed.message || edits === 0)).toEqual([]);
  expect(effect.about).toEqual([]);
}

/**
 * Checks that two presses at the same moment have the effect of a single press, even if the platform delivers the first
 * press twice.
 */
async function actsOnce(house: House, pressed: Control, behaviour: Behaviour, server: string): Promise<void> {
  const { answers, says, sends = [] } = behaviour;
  const { effect, forms, outcomes } = await effectsOf(house, 'operator', pressed, 3, server, sends.length);
  const answered = [...effect.privately, ...effect.publicly].filter(({ text }) => says.test(text));
  const inPlace = answered.filter(({ id }) => id === pressed.message);
  const isNew = ({ id }: { id: string }) => id !== pressed.message;
  expect(effect.changes).toEqual(sends);
  expect(outcomes.filter((one) => one === 'repeat' || one === 'unanswered')).toHaveLength(1);
  switch (answers) {
    case 'form':
      return expect([...forms, ...effect.privately.map(({ text }) => text)].join()).toMatch(says);
    case 'in place':
      expect(inPlace).toHaveLength(1);
      break;
    case 'publicly':
      expect(
        effect.publicly.filter(isNew).filter(({ parent, text }) => !parent && says.test(text)),
      ).toHaveLength(1);
      expect(effect.privately.some(({ text }) => PRESSED_TWICE.test(text))).toBe(true);
      break;
    case 'privately':
      expect(effect.privately.some(({ text }) => says.test(text))).toBe(true);
  }
  // The repeated delivery gets no separate answer.
  expect(effect.privately.length).toBeLessThanOrEqual(2);
}

/**
 * Checks a later press. A button that works only once has no effect and says so privately. Every other button works
 * again.
 */
async function staysAnswered(
  house: House,
  pressed: Control,
  behaviour: Behaviour,
  server: string,
): Promise<void> {
  await pass(house, A_MOMENT);
  const { effect, forms } = await effectsOf(house, 'operator', pressed, 1, server);
  const { answers, says, spent } = behaviour;
  expect(effect.changes).toEqual([]);
  const said = [...forms, ...effect.privately.map(({ text }) => text)];
  if (spent) {
    expect(said.join('\n')).toMatch(spent);
    if (nameOf(pressed) === 'logs:unfollow') return;
    return expect(effect.publicly.filter(({ id }) => id === pressed.message)).toEqual([]);
  }
  const shared =
    answers === 'publicly' || answers === 'in place' ? effect.publicly.map(({ text }) => text) : [];
  expect([...said, ...shared].join('\n')).toMatch(says);
}

interface Seen extends Effect {
  /** The requests to Edgegap that concern the server. */
  readonly about: readonly string[];
  /** Those requests in `about` that change something. */
  readonly changes: readonly string[];
}

/**
 * Presses the control several times: the second delivery repeats the first press, and the third delivery is a second
 * press.
 */
async function effectsOf(
  house: House,
  persona: Persona,
  pressed: Control,
  deliveries: 1 | 3,
  server: string,
  expected = 0,
) {
  const { simulator } = house;
  const from = simulator.requests.length;
  const isDeploy = (endpoint = '') => /^deploy/.test(endpoint) || endpoint === 'selfStop';
  const about = () =>
    simulator.requests
      .slice(from)
      .filter(
        ({ endpoint, path, body, method }) =>
          (method !== 'GET' && isDeploy(endpoint)) ||
          (server !== '' && `${path}${JSON.stringify(body)}`.includes(server)),
      );
  const changes = () =>
    about().filter(({ method, path }) => method !== 'GET' && !path.endsWith('/deployments/list'));
  const before = endings(house).length;
  const presses: Press[] = [];
  let outcomes: readonly string[] = [];
  const effect = await effectUntil(house, persona, async () => {
    const sent = [press(house, persona, pressed)];
    if (deliveries === 3) {
      const first = await sent[0];
      sent.push(press(house, persona, pressed));
      await first?.again();
    }
    presses.push(...(await Promise.all(sent)));
    outcomes = (await ended(house, before, deliveries)).map(({ outcome }) => outcome);
    await until(() => changes().length >= expected, 'the requests to Edgegap');
  });
  const words = ({ method, endpoint }: { method: string; endpoint?: string | undefined }) =>
    `${method} ${endpoint}`;
  const seen: Seen = { ...effect, about: about().map(words), changes: changes().map(words) };
  return { effect: seen, forms: presses.flatMap((one) => one.form() ?? []), outcomes };
}
