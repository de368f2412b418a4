import type { MessageRequest } from '../chat/port.ts';
import type { Deployment } from '../deployments/deployment.ts';
import { InputError } from '../errors.ts';
import type { Action, Directory } from './define.ts';
import type { Lookup } from './kinds/kind.ts';

/** An action that people find in the menu which a platform shows for each message. */
export interface MenuAction {
  readonly label: string;
  readonly command: string;
  readonly name: string;
  readonly action: Action;
}

/** The actions that a person finds in the menu of a deployment's card, in the order of their commands. */
export function menuActions(directory: Directory): MenuAction[] {
  return directory.all.flatMap(({ name: command, actions }) =>
    Object.entries(actions).flatMap(([name, action]) =>
      action.onCard === undefined ? [] : [{ label: action.onCard, command, name, action }],
    ),
  );
}

/**
 * Finds the deployment of the message from whose menu a person chose the action, and returns the argument that a button
 * of the message would have. The ids in the buttons of the message name the deployment. If the message has no such
 * button, the message may still be the live card of a deployment, or news below this card. Throws InputError.
 */
export async function argumentOnCard(
  { on }: Action,
  request: MessageRequest,
  { directory, ...lookup }: Lookup & { readonly directory: Directory },
): Promise<string> {
  const { deployments } = lookup;
  const { buttons } = request;
  const named = (what: Action['on']) => [
    ...new Set(
      buttons
        .filter(({ command, action }) => directory.get(command)?.actions[action]?.on === what)
        .map(({ arg }) => arg.replace(/\..*$/s, '')),
    ),
  ];
  const [request_id, another] = named('deployment');
  if (another !== undefined)
    throw new InputError('card-several', 'This message shows several servers.', {
      hint: 'Use the card of one of them, or its request_id.',
    });
  const [own] = named('order');
  const known = own === undefined ? undefined : await deployments.byId(own);
  const found =
    known ?? (await (request_id ? deployments.byRequestId(request_id) : ofCard(deployments, request)));
  if (!found && !request_id) throw noCard();
  if (on === 'order') {
    if (found) return found.id;
    throw new InputError(
      'card-elsewhere',
      'That server was not deployed from chat, so I do not know its order.',
      {
        hint: 'Use `deploy`.',
      },
    );
  }
  const id = request_id ?? found?.requestId;
  if (id !== undefined) return id;
  throw new InputError('card-no-server', 'Edgegap has no server for this card.', {
    hint: 'The card says why, or will show the server in a moment.',
  });
}

/**
 * The deployment whose live card is the message, or about which the message brings news below the live card. Such news
 * contains the request_id. Other answers of the bot may stand in the same thread, and may be about another server.
 */
async function ofCard(
  deployments: Lookup['deployments'],
  { message, under, content }: MessageRequest,
): Promise<Deployment | undefined> {
  const own = await deployments.byCard(message);
  if (own || !under) return own;
  const above = await deployments.byCard(under);
  return above?.requestId !== undefined && content.includes(above.requestId) ? above : undefined;
}

function noCard(): InputError {
  return new InputError('no-card', 'That message is not the card of a server.', {
    hint: 'Use the menu of a message in which I show a server, or give the request_id: `list` shows all running servers.',
  });
}
