import type { ConsoleAdapter } from '../adapters/console/adapter.ts';

/**
 * Plays a typical session as if a person typed the commands, and waits for the result of each step. The steps are: a
 * deploy, the callback `ready`, the logs, a tag, the stop with its confirmation, and the end of the server.
 */
export async function playTour(
  chat: Pick<ConsoleAdapter, 'type' | 'say' | 'buttons'>,
  settled: () => Promise<void>,
): Promise<void> {
  const step = async (why: string, line: string) => {
    await chat.type(line, why);
    await settled();
  };
  chat.say(['No input, so here is a short tour.']);
  await step(
    'Deploy near a city. The card follows the server until Edgegap calls back.',
    'deploy kart-racing v1.2 --near Montreal --tag qa',
  );
  await step('Read the log of the server.', 'logs @last --lines 8');
  await step('See what the server uses.', 'metrics @last');
  await step('Tag the server.', 'tags @last add match-42');
  await step('Stop the server. The bot asks first.', 'stop @last');
  const confirm = chat
    .buttons()
    .findLast(({ button }) => button.action.command === 'stop' && button.action.action === 'confirm');
  if (!confirm) throw new Error('The tour found no button to confirm the stop with');
  await step(`${confirm.button.label}: press the button by its number.`, `#${confirm.number}`);
  chat.say([
    'That was the tour. In a terminal, npm run demo gives you a prompt; or pipe lines into it.',
    'To connect Discord or Slack, see docs/.',
  ]);
}
