import type { Card } from '../src/cards/card.ts';
import { type Context, defineCommand } from '../src/command/define.ts';
import { isOwnTag } from '../src/deployments/deployment.ts';
import { EdgegapError } from '../src/edgegap/errors.ts';
import { InputError } from '../src/errors.ts';

const ACTIONS = ['list', 'add', 'remove', 'rename'] as const;

export default defineCommand({
  description: 'List, add, remove or rename the tags of a deployment',
  example: '93924761ccde add qa',
  permission: {
    least: 'deployments.read',
    of: ({ action }) => (action === undefined || action === 'list' ? 'deployments.read' : 'deployments.tag'),
  },
  ack: ({ action }) => (action === undefined || action === 'list' ? 'private' : 'public'),
  options: {
    deployment: {
      kind: 'deployment',
      required: true,
      positional: true,
      description: 'Its request_id, or the beginning of it',
    },
    action: {
      kind: 'choice',
      choices: ACTIONS,
      positional: true,
      description: 'What to do (list if not given)',
    },
    tag: { kind: 'tag', positional: true, description: 'The tag to add, remove or rename' },
    to: { kind: 'tag', positional: true, description: 'The new name, for rename' },
  },
  async run(context) {
    const { deployment, action = 'list', tag, to } = context.options;
    const { request_id } = deployment;
    const { edgegap } = context;
    switch (action) {
      case 'list':
        if (tag ?? to)
          throw new InputError('tags-list', 'list takes no tag.', {
            hint: 'To add one: tags <deployment> add <tag>.',
          });
        return show(context, request_id, 'Tags of ');
      case 'add': {
        const name = needed(tag, 'add <tag>');
        refuseSecond(to, 'add <tag>');
        await changing(name, () => edgegap.addTag(request_id, name));
        return show(context, request_id, `Added ${name} to `);
      }
      case 'remove': {
        const name = needed(tag, 'remove <tag>');
        refuseSecond(to, 'remove <tag>');
        await changing(name, () => edgegap.removeTag(request_id, name));
        return show(context, request_id, `Removed ${name} from `);
      }
      case 'rename': {
        const from = needed(tag, 'rename <tag> <new name>');
        const name = needed(to, 'rename <tag> <new name>');
        if (from === name)
          throw new InputError('tag-same', 'Both names are the same.', { hint: 'Nothing was changed.' });
        await changing(name, () => edgegap.renameTag(request_id, from, name));
        return show(context, request_id, `Renamed ${from} to ${name} on `);
      }
    }
  },
});

function needed(tag: string | undefined, usage: string): string {
  if (tag !== undefined) return tag;
  throw new InputError('tag-missing', 'The tag is missing.', { hint: `Use: tags <deployment> ${usage}` });
}

function refuseSecond(to: string | undefined, usage: string): void {
  if (to !== undefined)
    throw new InputError('tag-second', 'That is one tag too many.', {
      hint: `Use: tags <deployment> ${usage}`,
    });
}

/** What Edgegap says of a tag, in words about tags. */
async function changing(name: string, change: () => Promise<void>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (error instanceof EdgegapError && error.code === 'edgegap-conflict')
      throw new InputError('tag-exists', `It has the tag “${name}” already.`, {
        hint: 'Nothing was changed.',
        cause: error,
      });
    throw error;
  }
}

async function show(context: Context<unknown>, request_id: string, title: string): Promise<void> {
  const all = await context.edgegap.tags(request_id);
  await context.deployments.retagged(request_id, all);
  const tags = all.filter((tag) => !isOwnTag(tag));
  const card: Card = {
    kind: 'card',
    tone: 'neutral',
    title: [title, { code: request_id }],
    nodes: [
      tags.length > 0
        ? {
            kind: 'text',
            text: tags.flatMap((tag, index) => (index === 0 ? [{ code: tag }] : [' · ', { code: tag }])),
          }
        : { kind: 'text', text: ['It has no tags.'] },
    ],
  };
  await context.respond(card);
}
