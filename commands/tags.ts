import type { Card, Rich } from '../src/chat/card.ts';
import { quoted } from '../src/command/argv.ts';
import { type CheckContext, type Context, defineCommand } from '../src/command/define.ts';
import { theDeployment } from '../src/command/options.ts';
import { namesakes } from '../src/command/same-name.ts';
import type { DeploymentTarget } from '../src/deployments/deployment.ts';
import { EdgegapError } from '../src/edgegap/errors.ts';
import { isOwnTag } from '../src/edgegap/outside.ts';
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
  interrupted: 'The tags may or may not have been changed: look with tags, and ask again if not.',
  options: {
    deployment: theDeployment,
    action: {
      kind: 'choice',
      choices: ACTIONS,
      positional: true,
      description: 'What to do (list if not given)',
    },
    tag: { kind: 'tag', positional: true, description: 'The tag to add, remove or rename' },
    to: { kind: 'tag', positional: true, description: 'The new name, for rename' },
  },
  check: (context) => checkChange(context, orderOf(context.options, context.prompt)),
  async run(context) {
    const { request_id } = context.options.deployment;
    const { edgegap } = context;
    const order = orderOf(context.options, context.prompt);
    switch (order.action) {
      case 'list':
        return show(context, request_id, ['Tags of ']);
      case 'add':
        await changing(order.tag, () => edgegap.addTag(request_id, order.tag));
        return showChange(context, request_id, ['Added ', { code: order.tag }, ' to ']);
      case 'remove':
        await edgegap.removeTag(request_id, order.tag);
        return showChange(context, request_id, ['Removed ', { code: order.tag }, ' from ']);
      case 'rename':
        await changing(order.to, () => edgegap.renameTag(request_id, order.tag, order.to));
        return showChange(context, request_id, [
          'Renamed ',
          { code: order.tag },
          ' to ',
          { code: order.to },
          ' on ',
        ]);
    }
  },
});

interface Options {
  readonly deployment: DeploymentTarget;
  readonly action: (typeof ACTIONS)[number] | undefined;
  readonly tag: string | undefined;
  readonly to: string | undefined;
}

type Order =
  | { readonly action: 'list' }
  | { readonly action: 'add' | 'remove'; readonly tag: string }
  | { readonly action: 'rename'; readonly tag: string; readonly to: string };

/** What is to be done. Throws InputError where the options do not go together. */
function orderOf({ action, tag, to }: Options, prompt: string): Order {
  const usage = `Use: ${prompt}tags <deployment> add <tag>, remove <tag>, or rename <tag> <new name>.`;
  const wrong = (code: string, message: string) => new InputError(code, message, { hint: usage });
  switch (action) {
    case undefined:
    case 'list':
      if (tag === undefined && to === undefined) return { action: 'list' };
      throw action === 'list'
        ? wrong('tags-list', 'To list the tags, leave the tag out.')
        : wrong('tags-action', 'Say what to do with the tag.');
    case 'add':
    case 'remove':
      if (tag === undefined) throw wrong('tag-missing', `The tag to ${action} is missing.`);
      if (to !== undefined) throw wrong('tag-second', 'That is one tag too many.');
      return { action, tag };
    case 'rename':
      if (tag === undefined) throw wrong('tag-missing', 'The tag to rename is missing.');
      if (to === undefined) throw wrong('tag-missing', 'The new name is missing.');
      if (tag === to) throw wrong('tag-same', 'Both names are the same.');
      return { action, tag, to };
  }
}

/** Edgegap would refuse these too, but only when everybody is already looking at the answer. */
async function checkChange({ edgegap, options }: CheckContext<Options>, order: Order): Promise<Options> {
  if (order.action === 'list') return options;
  const tags = await edgegap.tags(options.deployment.request_id);
  const others = tags.filter((tag) => !isOwnTag(tag));
  const [tag = order.tag, ...more] = order.action === 'add' ? [] : namesakes(order.tag, others, (one) => one);
  if (more.length > 0)
    throw new InputError('tag-ambiguous', `Several tags could be meant by ${quoted(order.tag)}.`, {
      hint: `Say which: ${[tag, ...more].join(' or ')}.`,
    });
  if (order.action !== 'add' && !others.includes(tag))
    throw new InputError('tag-unknown', `It has no tag ${quoted(order.tag)}.`, {
      hint: others.length > 0 ? `It has: ${others.join(', ')}.` : 'It has no tags.',
    });
  const wanted = order.action === 'rename' ? order.to : order.tag;
  if (order.action !== 'remove' && tags.includes(wanted)) throw hasAlready(wanted);
  return { ...options, tag };
}

function hasAlready(tag: string, cause?: unknown): InputError {
  return new InputError('tag-exists', `It has the tag ${quoted(tag)} already.`, {
    hint: 'Nothing was changed.',
    cause,
  });
}

/** Someone else may have added the same tag since it was looked for. */
async function changing(name: string, change: () => Promise<void>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (error instanceof EdgegapError && error.code === 'edgegap-conflict') throw hasAlready(name, error);
    throw error;
  }
}

async function show(context: Context<unknown>, request_id: string, title: Rich): Promise<void> {
  const all = await context.edgegap.tags(request_id);
  await context.deployments.retagged(request_id, all);
  const tags = all.filter((tag) => !isOwnTag(tag));
  const text: Rich =
    tags.length > 0
      ? tags.flatMap((tag, index) => (index === 0 ? [{ code: tag }] : [' · ', { code: tag }]))
      : ['It has no tags.'];
  await context.respond(tagsCard(request_id, title, text));
}

/** The change was made; that the tags cannot be read back after it does not undo it. */
async function showChange(context: Context<unknown>, request_id: string, title: Rich): Promise<void> {
  try {
    await show(context, request_id, title);
  } catch (error) {
    if (!(error instanceof EdgegapError)) throw error;
    await context.respond(tagsCard(request_id, title, ['All its tags could not be read just now.']));
  }
}

function tagsCard(request_id: string, title: Rich, text: Rich): Card {
  return {
    kind: 'card',
    tone: 'neutral',
    title: [...title, { code: request_id }],
    nodes: [{ kind: 'text', text }],
  };
}
