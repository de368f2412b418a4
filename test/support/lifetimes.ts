import { effectOf, phase, type Stage } from '../command/harness.ts';
import type { Values, VisibleMessage } from './chat-driver.ts';
import { until } from './test-clock.ts';

/** Deploys as the operator with these options. Resolves with the request_id when the card shows the time of the end. */
export async function deployFor(stage: Stage, options: Values): Promise<string> {
  const had = new Set(stage.simulator.deployments.keys());
  // Unlike kart-racing, this version has no time limit at Edgegap.
  const values = { application: 'lobby-chat', version: 'stable', near: 'Montreal', ...options };
  await effectOf(stage, 'operator', () => stage.driver.command('operator', 'deploy', values));
  const isNew = (id: string) => !had.has(id) && phase(stage.simulator, id) === 'READY';
  const id = await until(() => [...stage.simulator.deployments.keys()].find(isNew), 'the deployment');
  await until(async () => (await cardOf(stage, id))?.buttons.includes('Logs'), 'the card to be ready');
  return id;
}

/** Only a live card has small print with the name of the person who deployed or adopted the server. */
function isLiveCard(text: string): boolean {
  return /\b(?:deployed|adopted) by\b/.test(text);
}

/** The live card of the deployment. */
export async function cardOf(stage: Stage, id: string): Promise<VisibleMessage | undefined> {
  return (await stage.driver.channel()).find(({ text }) => text.includes(id) && isLiveCard(text));
}

/** The messages that ask whether to extend the deployment, including messages that show the answer. */
export async function questions(stage: Stage, id: string): Promise<VisibleMessage[]> {
  const all = await stage.driver.channel();
  return all.filter(({ text }) => text.includes(id) && /ends soon|runs on/.test(text) && !isLiveCard(text));
}

export async function question(stage: Stage, id: string, count = 1): Promise<VisibleMessage> {
  const found = async () => (await questions(stage, id))[count - 1];
  return await until(found, `question ${count} about ${id}`);
}
