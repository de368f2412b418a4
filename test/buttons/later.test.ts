import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { effectUntil } from '../command/harness.ts';
import { turn } from '../support/test-clock.ts';
import { type CardName, cards, controlOn, pass } from './cards.ts';
import { type Control, ended, endings, press } from './controls.ts';
import { type House, openHouse } from './house.ts';
import { actionsOn, type Behaviour, behaviourOf } from './table.ts';

const cardNames = Object.keys(cards) as CardName[];
const HOUR_MS = 60 * 60_000;
/** The time limit for making all messages, in real milliseconds. The limit matters only if a test fails. */
const MAKING_MS = 240_000;
/**
 * This message appears only after hours. So its two buttons share one message, and the second press finds the question
 * answered.
 */
const SLOW: CardName = 'the question before the end of a lifetime';
/** Matches answers that explain nothing to the person. */
const NO_ANSWER = /Something went wrong|older version/;

interface Kept {
  readonly card: CardName;
  readonly name: string;
  readonly pressed: Control;
  readonly behaviour: Behaviour;
}

const everyButton = cardNames.flatMap((card) => actionsOn[card].map((name) => ({ card, name })));

/**
 * Makes a separate message for each button that works only once, and a common message for the other buttons. Before the
 * buttons are pressed, `happens` is called.
 */
function describeAfter(
  what: string,
  platform: 'discord' | 'slack-http',
  happens: (house: House) => Promise<void>,
  expected: (behaviour: Behaviour) => RegExp,
): void {
  describe(`the buttons on ${platform} ${what}`, () => {
    let house: House;
    let folder: string;
    const all = new Map<string, Kept>();
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'buttons-'));
      house = await openHouse(platform, join(folder, 'bot.db'));
      for (const card of cardNames) {
        let made = await cards[card](house);
        let isUsed = false;
        for (const name of actionsOn[card]) {
          const behaviour = behaviourOf(card, name);
          if (isUsed && behaviour.spent && card !== SLOW) made = await cards[card](house);
          isUsed = behaviour.spent !== undefined;
          all.set(`${card} ${name}`, { card, name, behaviour, pressed: await controlOn(house, made, name) });
        }
      }
      await happens(house);
    }, MAKING_MS);
    afterAll(async () => {
      await house?.close();
      await rm(folder, { recursive: true, force: true });
    });

    test.each(everyButton)(
      'the button $name of $card either works or explains why it does not work',
      async ({ card, name }) => {
        const kept = all.get(`${card} ${name}`);
        if (!kept) throw new Error('The button was not made');
        const before = endings(house).length;
        let title: string | undefined;
        const effect = await effectUntil(house, 'operator', async () => {
          const sent = await press(house, 'operator', kept.pressed);
          await ended(house, before, 1);
          await turn();
          title = sent.form();
        });
        const said = [
          title,
          ...effect.privately.map(({ text }) => text),
          ...effect.publicly.map(({ text }) => text),
        ];
        const isAnswered = card === SLOW && name === 'deploy:keep';
        const { spent, ...behaviour } = kept.behaviour;
        expect(said.join('\n')).toMatch((isAnswered && spent) || expected(behaviour));
        expect(said.join('\n')).not.toMatch(NO_ANSWER);
      },
    );
  });
}

describeAfter(
  'after a restart of the bot',
  'discord',
  async (house) => {
    house.bot = await house.bot.restart();
  },
  ({ says }) => says,
);

describeAfter(
  'an hour later',
  'slack-http',
  (house) => pass(house, HOUR_MS),
  ({ says, late = says }) => late,
);

describeAfter(
  'after the servers of the buttons have ended',
  'discord',
  async (house) => {
    for (const id of house.simulator.deployments.keys()) house.simulator.terminate(id);
    await pass(house, 30_000);
  },
  ({ says, ended = says }) => ended,
);
