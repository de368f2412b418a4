import type { RenderContext } from '../../../src/adapters/console/render.ts';
import type { Card, Message } from '../../../src/chat/card.ts';
import {
  type CommandSpec,
  createDirectory,
  type Directory,
  defineCommand,
} from '../../../src/command/define.ts';

export const NOON = Date.UTC(2026, 2, 3, 12, 0, 0);

export function context(overrides: Partial<RenderContext> = {}): RenderContext {
  return {
    color: false,
    columns: undefined,
    now: NOON,
    timeZone: 'UTC',
    numberOf: () => undefined,
    placeOf: (file) => `/tmp/${file.name}`,
    ...overrides,
  };
}

export function card(overrides: Partial<Card> = {}): Card {
  return { kind: 'card', tone: 'neutral', title: ['Title'], nodes: [], ...overrides };
}

/** A card that has a button for each of these actions of `stop`. */
export function cardWithButtons(title: string, ...actions: string[]): Message {
  return card({
    title: [title],
    nodes: [
      {
        kind: 'buttons',
        buttons: actions.map((action) => ({
          label: `Do ${action}`,
          style: 'secondary',
          action: { command: 'stop', action, arg: 'abc' },
        })),
      },
    ],
  });
}

const nothing = async () => {};

function named(name: string, command: unknown) {
  // The command gets the loose type that the loader gives to commands, so that it may have any options.
  return { name, command: command as CommandSpec };
}

export const commands: Directory = createDirectory([
  named(
    'deploy',
    defineCommand({
      description: 'Deploy a server',
      permission: 'deployments.deploy',
      ack: 'public',
      options: {
        application: { kind: 'application', description: 'What', required: true, positional: true },
        version: { kind: 'version', description: 'Which', required: true, positional: true },
        near: { kind: 'location', description: 'Where' },
        ip: { kind: 'list', of: 'ip', description: 'For whom' },
        tag: { kind: 'list', of: 'tag', description: 'Tags' },
        cached: { kind: 'boolean', description: 'Only where the image is' },
      },
      run: nothing,
    }),
  ),
  named(
    'stop',
    defineCommand({
      description: 'Stop a deployment',
      permission: 'deployments.stop',
      ack: 'public',
      options: {
        deployment: { kind: 'deployment', description: 'Which', required: true, positional: true },
      },
      run: nothing,
    }),
  ),
  named(
    'tags',
    defineCommand({
      description: 'Tags of a deployment',
      permission: 'deployments.tag',
      ack: 'public',
      options: {
        what: {
          kind: 'choice',
          choices: ['list', 'add', 'remove', 'rename'],
          description: 'What to do',
          required: true,
          positional: true,
        },
        deployment: { kind: 'deployment', description: 'Which', required: true, positional: true },
        tag: { kind: 'tag', description: 'Tag', positional: true },
      },
      run: nothing,
    }),
  ),
]);
