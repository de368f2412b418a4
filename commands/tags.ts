import type { Card, Rich } from '../src/chat/card.ts';
import { quoted } from '../src/command/argv.ts';
import { matching, planActions, propose } from '../src/command/bulk-plan.ts';
import { type CheckContext, type Context, defineCommand, defineGroup } from '../src/command/define.ts';
import { filterInUse } from '../src/command/filter-in-use.ts';
import { offerOwnTags } from '../src/command/offers.ts';
import { type OptionsOf, theDeployment } from '../src/command/options.ts';
import { Question } from '../src/command/question.ts';
import { namesakes } from '../src/command/same-name.ts';
import type { DeploymentTarget } from '../src/deployments/deployment.ts';
import { EdgegapError } from '../src/edgegap/errors.ts';
import { withoutOwnTags } from '../src/edgegap/outside.ts';
import { parseEdgegapTime } from '../src/edgegap/schema.ts';
import { InputError } from '../src/errors.ts';

const tag = (description: string) =>
  ({ kind: 'tag', required: true, positional: true, placeholder: 'For example qa', description }) as const;
const oneTag = (description: string) => ({
  deployment: theDeployment,
  tag: { ...tag(description), suggest: offerOwnTags },
});
/**
 * The options of `tags add`. The person gives either one deployment, or a tag `of` that selects all deployments with
 * this tag.
 */
const tagToAdd = {
  deployment: { ...theDeployment, unless: 'of' },
  tag: tag('The tag to add'),
  of: {
    kind: 'tag',
    label: 'All with the tag',
    hint: 'Every server with this tag, in place of one server',
    description: 'Add the tag to every server with this tag, in place of one server',
  },
} as const;

const change = {
  permission: 'deployments.tag',
  ack: 'private',
  interrupted: 'The tags may or may not have been changed: look with `tags list`, and ask again if not.',
} as const;

export default defineGroup({
  description: 'List, add, remove or rename the tags of a server',
  topic: 'change',
  usual: 'list',
  actions: {
    ...planActions('tags', 'deployments.tag', 'Nothing was changed.'),
    show: {
      permission: 'deployments.read',
      ack: 'private',
      on: 'deployment',
      run: (context) => show(context, context.target.request_id, ['Tags of ']),
    },
  },
  subcommands: {
    list: defineCommand({
      description: 'List the tags of a server',
      example: '93924761ccde',
      permission: 'deployments.read',
      ack: 'private',
      options: { deployment: theDeployment },
      layout: { title: 'List tags', submit: 'List', first: ['deployment'] },
      run: (context) => show(context, context.options.deployment.request_id, ['Tags of ']),
    }),
    show: defineCommand({
      description: 'Show when a tag was added and last changed',
      example: '93924761ccde qa',
      permission: 'deployments.read',
      ack: 'private',
      options: oneTag('The tag to show'),
      layout: { title: 'Show a tag', submit: 'Show', first: ['deployment', 'tag'] },
      check: checkPresent,
      run: showOne,
    }),
    add: defineCommand({
      ...change,
      description: 'Add a tag to a server, or to every server that has another tag',
      example: '93924761ccde qa',
      options: tagToAdd,
      layout: { title: 'Add a tag', submit: 'Add', first: ['deployment', 'tag', 'of'] },
      check: addCheck,
      async run(context) {
        const { deployment, tag } = context.options;
        if (!deployment) return;
        const { request_id } = deployment;
        await changing(tag, () => context.edgegap.addTag(request_id, tag));
        await showChange(context, request_id, ['Added ', { code: tag }, ' to ']);
      },
    }),
    remove: defineCommand({
      ...change,
      description: 'Remove a tag from a server',
      example: '93924761ccde qa',
      options: oneTag('The tag to remove'),
      layout: { title: 'Remove a tag', submit: 'Remove', first: ['deployment', 'tag'] },
      check: checkPresent,
      async run(context) {
        const { deployment, tag } = context.options;
        await context.edgegap.removeTag(deployment.request_id, tag);
        await showChange(context, deployment.request_id, ['Removed ', { code: tag }, ' from ']);
      },
    }),
    rename: defineCommand({
      ...change,
      description: 'Rename a tag of a server',
      example: '93924761ccde qa release',
      options: { ...oneTag('The tag to rename'), 'new-name': tag('The new name of the tag') },
      layout: { title: 'Rename a tag', submit: 'Rename', first: ['deployment', 'tag', 'new-name'] },
      async check(context) {
        const { tag, 'new-name': to } = context.options;
        if (tag === to)
          throw new InputError('tag-same', 'Both names are the same.', { hint: 'Nothing was changed.' });
        const all = await tagsOf(context);
        const found = present(all, tag);
        checkFree(all, to);
        return { ...context.options, tag: found };
      },
      async run(context) {
        const { deployment, tag, 'new-name': to } = context.options;
        const { request_id } = deployment;
        await changing(to, () => context.edgegap.renameTag(request_id, tag, to));
        const title = ['Renamed ', { code: tag }, ' to ', { code: to }, ' on '];
        await showChange(context, request_id, title);
      },
    }),
  },
});

/**
 * Checks the change. If `of` is given, throws a Question: a private card with the plan, which the person has to
 * confirm.
 */
async function addCheck(context: CheckContext<OptionsOf<typeof tagToAdd>>) {
  const { deployment, tag } = context.options;
  if (deployment) return checkFree(await context.edgegap.tags(deployment.request_id), tag);
  const filter = await filterInUse(context, { tag: context.options.of });
  const found = await matching(context, { filter, without: tag });
  const asked = { change: { kind: 'tag', tag }, filter, words: found.words } as const;
  const card = await propose(context, 'tags', asked, found);
  throw new Question(
    'confirm-tags',
    'The plan has to be confirmed, and I could not show the plan. Try again.',
    card,
  );
}

interface OneTag {
  readonly deployment: DeploymentTarget;
  readonly tag: string;
}

const NO_TAGS = 'The server has no tags.';

const tagsOf = ({ edgegap, options }: CheckContext<OneTag>) => edgegap.tags(options.deployment.request_id);

async function checkPresent(context: CheckContext<OneTag>): Promise<OneTag> {
  return { ...context.options, tag: present(await tagsOf(context), context.options.tag) };
}

/** Returns the exact name of the tag. Throws InputError if the server has no such tag, or if several tags match. */
function present(all: readonly string[], wanted: string): string {
  const tags = withoutOwnTags(all);
  const [tag, ...more] = namesakes(wanted, tags, (one) => one);
  if (tag === undefined)
    throw new InputError('tag-unknown', `The server has no tag ${quoted(wanted)}.`, {
      hint: tags.length > 0 ? `The server has: ${tags.join(', ')}.` : NO_TAGS,
    });
  if (more.length > 0)
    throw new InputError('tag-ambiguous', `Several tags could be meant by ${quoted(wanted)}.`, {
      hint: `Say which: ${[tag, ...more].join(' or ')}.`,
    });
  return tag;
}

function checkFree(all: readonly string[], wanted: string): void {
  if (all.includes(wanted)) throw hasAlready(wanted);
}

function hasAlready(tag: string, cause?: unknown): InputError {
  return new InputError('tag-exists', `The server has the tag ${quoted(tag)} already.`, {
    hint: 'Nothing was changed.',
    cause,
  });
}

/**
 * Makes the change. If another person has added the same tag since the check, throws the same InputError as the check.
 */
async function changing(name: string, change: () => Promise<void>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (error instanceof EdgegapError && error.code === 'edgegap-conflict') throw hasAlready(name, error);
    throw error;
  }
}

const ago = (time: number) => ({ time, style: 'relative' }) as const;

async function showOne({ edgegap, options, respond }: Context<OneTag>): Promise<void> {
  const { request_id } = options.deployment;
  const { create_time, last_updated } = await edgegap.tag(request_id, options.tag);
  const [added, changed] = [create_time, last_updated].map(parseEdgegapTime);
  const text: Rich = [
    ...(added === undefined ? ['Edgegap does not say when the tag was added'] : ['Added ', ago(added)]),
    ...(changed === undefined || changed === added ? ['.'] : [', last changed ', ago(changed), '.']),
  ];
  await respond(tagsCard(request_id, ['Tag ', { code: options.tag }, ' of '], text));
}

async function show(context: Context<unknown>, request_id: string, title: Rich): Promise<void> {
  const all = await context.edgegap.tags(request_id);
  await context.deployments.retagged(request_id, all);
  const tags = withoutOwnTags(all);
  const text: Rich =
    tags.length > 0
      ? tags.flatMap((tag, index) => (index === 0 ? [{ code: tag }] : [' · ', { code: tag }]))
      : [NO_TAGS];
  await context.respond(tagsCard(request_id, title, text));
}

/** Shows the tags after a change. If the tags cannot be read back, the answer still says that the change was made. */
async function showChange(context: Context<unknown>, request_id: string, title: Rich): Promise<void> {
  try {
    await show(context, request_id, title);
  } catch (error) {
    if (!(error instanceof EdgegapError)) throw error;
    await context.respond(tagsCard(request_id, title, ['I could not read the full list of tags just now.']));
  }
}

function tagsCard(request_id: string, title: Rich, text: Rich): Card {
  const nodes = [{ kind: 'text', text } as const];
  return { kind: 'card', tone: 'neutral', title: [...title, { code: request_id }], nodes };
}
