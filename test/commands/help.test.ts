import { afterEach, describe, expect, test } from 'vitest';
import { effectOf, type Stage, stageOn } from '../command/harness.ts';
import { driverNames } from '../support/bot.ts';
import type { Persona } from '../support/chat-driver.ts';

let stage: Stage;
afterEach(() => stage?.close());

interface MenuHands {
  choose(persona: Persona, label: string): Promise<void>;
}

const TITLES = [
  'Start a server',
  'See what runs',
  'Change a server',
  'Find out what you can deploy',
  'The bot',
];

describe.each(driverNames)('help on %s', (name) => {
  const help = async (persona: Persona) => {
    const ask = () => stage.driver.command(persona, 'help');
    return (await effectOf(stage, persona, ask)).privately.at(-1);
  };
  const choose = async (label: string) => {
    const { driver } = stage;
    const act = () =>
      name === 'console'
        ? driver.press('operator', label)
        : (driver as unknown as MenuHands).choose('operator', label);
    return (await effectOf(stage, 'operator', act)).privately.at(-1);
  };

  test('help begins with a line for each topic, and the person can choose a topic to see its commands in the same message', async () => {
    stage = await stageOn(name);
    const first = await help('operator');
    for (const title of TITLES) expect(first?.text).toContain(title);
    expect(first?.text.split('\n').length).toBeLessThan(18);
    expect(first?.text).not.toContain('Stop many servers at once');
    const topic = await choose('Change a server');
    expect(topic?.id).toBe(first?.id);
    expect(topic?.text).toContain('Stop many servers at once');
    expect(topic?.text).not.toContain('Deploy a dedicated server');
    expect((await choose('Start a server'))?.text).toContain('Deploy a dedicated server');
  });

  // A terminal has only one person, the operator.
  test.skipIf(name === 'console')(
    'help shows a topic only to a person who may use at least one command of the topic',
    async () => {
      stage = await stageOn(name);
      const text = (await help('member'))?.text ?? '';
      expect(text).toContain('Ask an administrator of this place for access');
      expect(text).not.toContain('Change a server');
    },
  );
});
