import type { Message } from '../../src/chat/card.ts';
import { type Booth, openBooth, type Stand } from './booth.ts';
import { isForm, type Sample } from './sample.ts';

type Show = (group: string, name: string, shown: Message) => void;

/** The answers of the commands, given by the whole bot with a simulated Edgegap. */
export async function commandSamples(stand: Stand): Promise<Sample[]> {
  const samples: Sample[] = [];
  const show: Show = (group, name, shown) => void samples.push({ group, name, shown });
  const booth = await openBooth(stand);
  try {
    await showHelp(booth, show);
    show('list', 'nothing runs', await booth.say('list'));
    const ids = await deploySome(booth, show);
    await showLists(booth, ids, show);
    await showStops(booth, ids, show);
    await showLogs(booth, ids, show);
    await showCatalogue(booth, show);
    await showPresetsAndTags(booth, ids, show);
    await showBulk(booth, ids, show);
    await showErrors(booth, show);
  } finally {
    await booth.close();
  }
  return samples;
}

interface Ids {
  /** The request_id of the deployment from chat. */
  readonly own: string;
  readonly crashed: string;
  readonly ended: string;
  /** The request_ids of the deployments that a matchmaker made. */
  readonly others: readonly string[];
  readonly night: readonly string[];
}

async function showHelp({ say, open }: Booth, show: Show): Promise<void> {
  show('help', 'all topics', await say('help'));
  const topic = await open({ command: 'help', action: 'topic', arg: '' }, 'change');
  if (!isForm(topic)) show('help', 'a topic', topic);
  show('help', 'a command', await say('help deploy'));
  show('menu', 'the main jobs', await say('menu'));
  show('help', 'a command with subcommands', await say('help tags'));
}

/** Makes deployments from chat and from outside, and shows the lines in the channel. */
async function deploySome(booth: Booth, show: Show): Promise<Ids> {
  const { say, simulator, posted } = booth;
  const isLine = (words: string) => (message: Message) =>
    message.kind === 'line' && JSON.stringify(message).includes(words);
  const deploy = async (line: string): Promise<string> => {
    await say(`deploy ${line}`);
    return [...simulator.deployments.keys()].at(-1) ?? '';
  };
  await booth.until(28);
  const ended = await deploy('lobby-chat stable --near Frankfurt');
  await posted(isLine('is ready'));
  await booth.until(22);
  const own = await deploy('kart-racing v1.3 --near Montreal --tag qa,playtest');
  const isOwn = (message: Message) => isLine('is ready')(message) && isLine(own)(message);
  show('news', 'ready', await posted(isOwn));
  await booth.until(19);
  const others = [
    await booth.deployElsewhere('arena-shooter', '2026.2', ['matchmaker']),
    await booth.deployElsewhere('kart-racing', 'v1.2', ['matchmaker', 'qa']),
  ];
  simulator.terminate(ended);
  show('news', 'ended', await posted(isLine(' stopped')));
  await booth.until(9);
  const crashed = await deploy('kart-racing v1.2 --near Paris --tag qa');
  simulator.crash(crashed, { exit_code: 139, message: 'Segmentation fault (core dumped)' });
  show('news', 'failed', await posted(isLine(' failed')));
  await booth.until(6);
  const night: string[] = [];
  for (let n = 0; n < 4; n++) night.push(await booth.deployElsewhere('lobby-chat', 'stable', ['night']));
  await booth.until(0);
  return { own, crashed, ended, others, night };
}

async function showLists({ say, press }: Booth, { own }: Ids, show: Show): Promise<void> {
  show('home', 'servers and a failure', await say('home'));
  const list = await say('list');
  show('list', 'active deployments', list);
  show('list', 'failed servers', await press(list, 'Show 1 failed'));
  show('list', 'filtered', await say('list --tag qa --application kart-racing'));
  show('list', 'nothing matches', await say('list --tag release'));
  show('metrics', 'the last hour', await say(`metrics ${own} --last 1h`));
}

async function showStops({ say, press }: Booth, { own, ended, others }: Ids, show: Show): Promise<void> {
  const later = await say(`stop ${own} --in 10m`);
  const now = await say(`stop ${others[0]}`);
  show('stop', 'the question', now);
  show('stop', 'the question about a later stop', later);
  show('stop', 'planned', await press(later, 'Stop it in 10 min'));
  show('stop', 'stopping', await press(now, 'Stop it'));
  show('stop', 'stopped before', await say(`stop ${ended}`));
  const kept = await say(`stop ${own}`);
  show('stop', 'kept', await press(kept, 'Keep it'));
}

async function showLogs({ say, simulator }: Booth, { own, crashed }: Ids, show: Show): Promise<void> {
  for (let n = 1; n <= 40; n++) simulator.print(own, `[net] player ${n} joined, ping ${20 + n} ms`);
  show('logs', 'the last lines', await say(`logs ${own}`));
  show('logs', 'lines that match', await say(`logs ${own} --grep "player 3"`));
  show('logs', 'no line matches', await say(`logs ${own} --grep disconnect`));
  show('logs', 'a crash', await say(`logs ${crashed}`));
}

async function showCatalogue({ say }: Booth, show: Show): Promise<void> {
  show('catalogue', 'versions', await say('versions kart-racing'));
  show('catalogue', 'a long list of versions', await say('versions arena-shooter'));
  show('catalogue', 'a version', await say('versions kart-racing v1.3'));
  show('catalogue', 'locations', await say('locations'));
  show('catalogue', 'locations by distance', await say('locations --near Montreal'));
  show('catalogue', 'hosts', await say('hosts tournament'));
  show('catalogue', 'a host', await say('hosts tournament --host tournament-toronto-1'));
}

async function showPresetsAndTags({ say }: Booth, { own }: Ids, show: Show): Promise<void> {
  show('preset', 'none', await say('preset list'));
  show('preset', 'saved', await say('preset save qa kart-racing v1.3 --near Montreal --tag qa'));
  await say('preset save tournament arena-shooter 2026.2 --near Paris --env MODE=final');
  show('preset', 'list', await say('preset list'));
  show('preset', 'one', await say('preset show qa'));
  show('tags', 'of a deployment', await say(`tags list ${own}`));
  show('tags', 'added', await say(`tags add ${own} release`));
  show('tags', 'one tag', await say(`tags show ${own} release`));
}

async function showBulk({ say, press, simulator, posted }: Booth, { night }: Ids, show: Show) {
  const plan = await say('bulk-stop --tag night');
  show('bulk', 'the question', plan);
  simulator.faults.next(
    { endpoint: 'stopMany' },
    { kind: 'not-processable', request_ids: night.slice(0, 1) },
  );
  show('bulk', 'begun', await press(plan, 'Stop 4 servers'));
  const isOver = (message: Message) =>
    message.kind === 'card' && JSON.stringify(message.title).includes('Stopped');
  show('bulk', 'over', await posted(isOver));
  show('bulk', 'add a tag to many', await say('tags add release --of qa'));
  show('bulk', 'nothing matches', await say('bulk-stop --tag nothing'));
}

async function showErrors({ say, simulator }: Booth, show: Show): Promise<void> {
  show('error', 'an unknown command', await say('delpoy'));
  show('error', 'an unknown deployment', await say('status 0123456789ab'));
  show('error', 'an unknown version', await say('deploy kart-racing v9.9 --near Montreal'));
  show('error', 'a wrong option', await say('list --aplication kart-racing'));
  simulator.faults.next({ endpoint: 'locations' }, { kind: 'server-error', when: 'before' }, 9);
  show('error', 'a failure of Edgegap', await say('locations --tags'));
}

/** The answers of a bot whose limits are reached with the first deployment. */
export async function limitSamples(stand: Stand): Promise<Sample[]> {
  const booth = await openBooth(stand, { CONFIRM_DEPLOY: '1', MAX_RUNNING: '2' });
  const line = 'deploy kart-racing v1.3 --near Montreal --tag qa';
  try {
    await booth.say(line);
    const question = await booth.say(line);
    await booth.press(question, 'Deploy');
    return [
      { group: 'limits', name: 'a deploy has to be confirmed', shown: question },
      { group: 'limits', name: 'the limit is reached', shown: await booth.say(line) },
    ];
  } finally {
    await booth.close();
  }
}
