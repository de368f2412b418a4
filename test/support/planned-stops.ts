import { type Effect, effectOf, type Stage } from '../command/harness.ts';
import type { VisibleMessage } from './chat-driver.ts';
import { until } from './test-clock.ts';

export const texts = (messages: readonly VisibleMessage[]) => messages.map(({ text }) => text).join('\n');

/** Types `stop --in`, and presses the button that confirms the planned stop. */
export async function plan(
  stage: Stage,
  deployment: string,
  { wait = '1m', words = '1 min', logStorage = '' } = {},
): Promise<Effect> {
  const values = { deployment, in: wait, ...(logStorage ? { 'log-storage': logStorage } : {}) };
  await effectOf(stage, 'operator', () => stage.driver.command('operator', 'stop', values));
  return await effectOf(stage, 'operator', () => stage.driver.press('operator', `Stop it in ${words}`));
}

/** The newest card about a planned stop of this deployment in the channel. */
export async function plannedCard(stage: Stage, id: string): Promise<VisibleMessage | undefined> {
  const about =
    /stops later|stops at another time|Stopped |(?:is|was) not stopped|has already stopped|probably stopped/;
  const isLiveCard = (text: string) => /\b(?:deployed|adopted) by\b/.test(text);
  const isPlan = (text: string) => text.includes(id) && about.test(text) && !isLiveCard(text);
  return (await stage.driver.channel()).findLast(({ text }) => isPlan(text));
}

export async function shows(stage: Stage, id: string, words: string): Promise<void> {
  const shown = async () => (await plannedCard(stage, id))?.text.includes(words);
  await until(shown, `the card to say “${words}”`);
}

/** Makes time run fast until `done` resolves, but slowly enough for requests to Edgegap. */
export async function later<T>(stage: Stage, done: () => Promise<T>, factor = 100): Promise<T> {
  stage.speed(factor);
  return await done().finally(() => stage.speed(1));
}

/** The requests to stop this server that the bot sent to Edgegap. */
export const stopsOf = ({ simulator }: Stage, id: string) =>
  simulator.requests.filter(({ endpoint, path }) => endpoint === 'stop' && path.includes(id));
