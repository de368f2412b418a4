import { afterEach, describe, expect, test } from 'vitest';
import { type Bot, createDriver, startBot } from '../support/bot.ts';
import type { DiscordDriver } from '../support/discord-driver.ts';
import type { Modal } from '../support/discord-world.ts';
import { pacedClock } from '../support/paced-clock.ts';
import type { SlackDriver } from '../support/slack-driver.ts';
import { until } from '../support/test-clock.ts';

/**
 * The maximum number of characters to type for the whole task: deploy a server, see the server, read the log, add a tag
 * and stop the server.
 */
const MOST = 30;

/** A person who remembers no names and ids. The person types, chooses from suggestions or presses buttons. */
interface Person {
  /** The characters that the person has typed. */
  readonly typed: string[];
  /** Types a command without options, which opens a form or a menu. */
  call(command: string): Promise<void>;
  /** Types the first letters of a value into a field of the command's open form, and chooses a suggested value. */
  pick(command: string, field: string, letters: string, like: RegExp): Promise<void>;
  /** Types the complete text of a field. */
  write(field: string, text: string): void;
  submit(): Promise<void>;
}

let driver: DiscordDriver | SlackDriver;
let bot: Bot;

afterEach(async () => {
  await bot?.stop();
  await driver?.close();
});

async function open(name: 'discord' | 'slack-socket'): Promise<Person> {
  const clock = pacedClock();
  driver = (await createDriver(name, clock)) as DiscordDriver | SlackDriver;
  bot = await startBot(driver, { clock });
  await bot.app.warmed();
  const typed: string[] = [];
  let entries: Record<string, string> = {};
  const type = (text: string) => typed.push(...text);
  return {
    typed,
    async call(wanted) {
      if (driver.platform === 'discord') type(`/${wanted}`);
      else type(wanted === 'menu' ? '/edgegap' : `/edgegap ${wanted}`);
      await driver.command('operator', wanted === 'menu' && driver.platform === 'slack' ? '' : wanted);
    },
    async pick(command, field, letters, like) {
      type(letters);
      const offered = await offers(command, field, letters, entries);
      const found = offered.find(({ label }) => like.test(label));
      if (!found) throw new Error(`${field} offers ${JSON.stringify(offered)}`);
      entries[field] = found.value;
    },
    write(field, text) {
      type(text);
      entries[field] = text;
    },
    async submit() {
      const values = entries;
      entries = {};
      await driver.fillIn('operator', values);
    },
  };
}

/** The suggestions for a field of the open form, as the person sees them. */
async function offers(command: string, field: string, letters: string, given: Record<string, string>) {
  if (driver.platform === 'slack') return await driver.offered('operator', command, field, letters, given);
  const bodies = driver.server.requests.map(({ body }) => body as { type?: number; data: Modal } | undefined);
  const { components } = bodies.findLast((body) => body?.type === 9)?.data ?? { components: [] };
  const menu = components.find(({ component }) => component?.custom_id === field)?.component;
  return (menu as { options?: { label: string; value: string }[] } | undefined)?.options ?? [];
}

const press = (label: string) => driver.press('operator', label);
const privately = (text: RegExp) =>
  until(
    async () => (await driver.privately('operator')).findLast((message) => text.test(message.text)),
    `a private message with ${text}`,
  );
const said = (text: RegExp) =>
  until(async () => (await driver.channel()).findLast((message) => text.test(message.text)), `${text}`);
const server = () => [...bot.simulator.deployments.values()].at(-1);

/** The steps from the ready server to the end. `tagging` opens the form that adds a tag. */
async function lookLogTagStop(person: Person, tagging: () => Promise<void>): Promise<void> {
  await said(/is ready/);
  const card = await until(async () => {
    const [first] = await driver.channel();
    return first?.buttons.includes('Logs') ? first : undefined;
  }, 'the card to say Ready');
  await press('Refresh');
  await driver.fromMenu('operator', card.id, 'Logs');
  await privately(/Log of/);
  await tagging();
  await person.pick('tags add', 'deployment', '', /kart-racing/);
  person.write('tag', 'qa');
  await person.submit();
  await privately(/Added/);
  expect(server()?.tags.map(({ name }) => name)).toContain('qa');
  await driver.fromMenu('operator', card.id, 'Stop');
  await privately(/Stop kart-racing v1\.3\?/);
  await press('Stop it');
  await said(/ stopped after/);
}

describe('the main job with as little typing as possible', () => {
  test('on Discord, the main job by typed commands (deploy, logs, tag and stop) needs at most 30 typed characters and no id', async () => {
    const person = await open('discord');
    await person.call('deploy');
    await privately(/Then a form asks for/);
    await driver.choose('operator', 'kart-racing');
    person.write('near', 'Paris');
    await person.submit();
    await lookLogTagStop(person, () => person.call('tags add'));
    expect(person.typed.join('')).toBe('/deployParis/tags addqa');
    expect(person.typed.length).toBeLessThanOrEqual(MOST);
  });

  test('on Discord, the main job from the menu needs 12 typed characters', async () => {
    const person = await open('discord');
    await person.call('menu');
    await privately(/What do you want to do/);
    await press('Deploy');
    await privately(/Then a form asks for/);
    await driver.choose('operator', 'kart-racing');
    person.write('near', 'Paris');
    await person.submit();
    await lookLogTagStop(person, () => press('Add a tag'));
    expect(person.typed.join('')).toBe('/menuParisqa');
    expect(person.typed).toHaveLength(12);
  });

  /** Fills in the form of `deploy` on Slack. */
  async function deployOnSlack(person: Person): Promise<void> {
    await person.pick('deploy', 'application', '', /kart-racing/);
    await person.pick('deploy', 'near', 'par', /Paris/);
    await person.submit();
  }

  test('on Slack, the main job by typed commands (deploy, logs, tag and stop) needs 37 typed characters', async () => {
    const person = await open('slack-socket');
    await person.call('deploy');
    await deployOnSlack(person);
    await lookLogTagStop(person, () => person.call('tags add'));
    expect(person.typed.join('')).toBe('/edgegap deploypar/edgegap tags addqa');
    expect(person.typed).toHaveLength(37);
  });

  test('on Slack, the main job from the menu needs 13 typed characters', async () => {
    const person = await open('slack-socket');
    await person.call('menu');
    await privately(/What do you want to do/);
    await press('Deploy');
    await deployOnSlack(person);
    await lookLogTagStop(person, () => press('Add a tag'));
    expect(person.typed.join('')).toBe('/edgegapparqa');
    expect(person.typed).toHaveLength(13);
  });
});
