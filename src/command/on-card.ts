import type { MessageRequest } from '../chat/port.ts';
import type { Deployment } from '../deployments/deployment.ts';
import { InputError } from '../errors.ts';
import type { Action, Directory } from './define.ts';
import type { Lookup } from './kinds/kind.ts';

/** An action in the menu that a platform shows for each message. */
export interface MenuAction {
  readonly label: string;
  readonly command: string;
  readonly name: string;
  readonly action: Action;
}

/** All actions with `onCard`, in the order of their commands. */
export function menuActions(directory: Directory): MenuAction[] {
  return directory.all.flatMap(({ name: command, actions }) =>
    Object.entries(actions).flatMap(([name, action]) =>
      action.onCard === undefined ? [] : [{ label: action.onCard, command, name, action }],
    ),
  );
}

/**
 * Finds the deployment for an action that a person chose from the menu of a message. Returns the argument that a button
 * of this action would have. The buttons of the message contain the id of the deployment. A message without such
 * buttons must be a live card, or a message below a live card that contains the request_id. Throws InputError.
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
 * The deployment whose live card is the message. A message below a live card belongs to the card's deployment if the
 * message contains the request_id. The thread below a card may also contain answers about other deployments.
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
