import { ApiProblem, type Component, flags, type MessageBody, type Modal, walk } from './discord-world.ts';

/**
 * Checks the rules for messages that Discord's OpenAPI file does not contain. Sources: developer reference, "Components
 * Reference" and "Message Resource". `before` contains the flags of the message before an edit.
 */
export function checkMessage(body: MessageBody, fileNames: readonly string[], before = 0): void {
  const wanted = body.flags ?? before;
  if (before & flags.componentsV2 && !(wanted & flags.componentsV2))
    invalid('IS_COMPONENTS_V2 cannot be removed from a message');
  const components = [...walk(body.components ?? [])];
  const v2 = (wanted & flags.componentsV2) !== 0;
  if (!v2 && components.some(({ type }) => type >= 9 && type <= 17))
    invalid('These components need IS_COMPONENTS_V2');
  if (v2) {
    if (body.content) invalid('content cannot be used with IS_COMPONENTS_V2');
    if (body.embeds?.length) invalid('embeds cannot be used with IS_COMPONENTS_V2');
    if (components.length === 0 && before === 0) invalid('A message needs components');
  }
  if (components.length > 40) invalid(`${components.length} components, 40 are allowed`);
  const text = components.reduce((sum, { content }) => sum + [...(content ?? '')].length, 0);
  if (text > 4000) invalid(`${text} characters of text, 4000 are allowed`);
  unique(components, 'custom_id');
  unique(components, 'id');
  for (const component of components) checkComponent(component, fileNames);
}

function checkComponent(component: Component, fileNames: readonly string[]): void {
  const { type, label, custom_id, url, content, components = [] } = component;
  if (type === 1 && (components.length < 1 || components.length > 5))
    invalid('An action row holds 1 to 5 buttons');
  if (type === 2) {
    if ([...(label ?? '')].length > 80) invalid('A label has at most 80 characters');
    if (!label) invalid('A button needs a label');
    if ((custom_id === undefined) === (url === undefined))
      invalid('A button has either a custom_id or a url');
  }
  if (type === 3) checkSelect(component);
  if (custom_id !== undefined && (custom_id.length < 1 || custom_id.length > 100))
    invalid('A custom_id has 1 to 100 characters');
  if (type === 10 && !content?.trim()) invalid('A text display needs text');
  const shown =
    type === 13 ? [component.file?.url] : type === 12 ? component.items?.map(({ media }) => media.url) : [];
  for (const address of shown ?? []) {
    const name = /^attachment:\/\/(.+)$/.exec(address ?? '')?.[1];
    if (!name || !fileNames.includes(name)) invalid(`No attachment for ${address}`);
  }
}

function checkSelect({ options = [], placeholder = '' }: Component): void {
  if (options.length < 1 || options.length > 25) invalid('A menu has 1 to 25 options');
  if (placeholder.length > 150) invalid('A placeholder has at most 150 characters');
  for (const { label, value } of options)
    if (label.length < 1 || label.length > 100 || value.length < 1 || value.length > 100)
      invalid('An option has a label and a value of 1 to 100 characters');
}

/** Checks the rules for modals. Sources: "Interaction Callback Type: Modal" and the reference of labels. */
export function checkModal(modal: Modal): Modal {
  const { custom_id, title, components } = modal;
  if (custom_id.length < 1 || custom_id.length > 100) invalid('A custom_id has 1 to 100 characters');
  if (title.length < 1 || title.length > 45) invalid('A title has 1 to 45 characters');
  if (components.length < 1 || components.length > 5) invalid('A modal has 1 to 5 components');
  for (const { type, label = '', component } of components) {
    if (type !== 18 || !component) return invalid('A modal holds labels');
    if (label.length < 1 || label.length > 45) invalid('A label has 1 to 45 characters');
    if (component.type === 3) checkSelect(component);
    const { value = '', max_length = 4000 } = component as { value?: string; max_length?: number };
    if (value.length > max_length) invalid('A value has at most max_length characters');
  }
  return modal;
}

function unique(components: readonly Component[], key: 'custom_id' | 'id'): void {
  const values = components
    .map((component) => component[key])
    .filter((value) => value !== undefined && value !== 0);
  if (new Set(values).size !== values.length) invalid(`Two components have the same ${key}`);
}

/** Checks that a deferred answer sets only the ephemeral flag. */
export function checkDefer(body: MessageBody | undefined): void {
  if (((body?.flags ?? 0) & ~flags.ephemeral) !== 0)
    invalid('Only EPHEMERAL can be set on a deferred response');
}

export function invalid(problem: string): never {
  throw new ApiProblem(400, 50035, `Invalid Form Body: ${problem}`);
}

/**
 * The people whom a message pings. Discord finds mentions in the raw text, so a backslash before a mention does not
 * prevent the ping.
 */
export function pingsOf(body: MessageBody): string[] {
  const text = [
    body.content ?? '',
    ...[...walk(body.components ?? [])].map(({ content }) => content ?? ''),
  ].join('\n');
  const allowed = body.allowed_mentions;
  const parse = allowed ? (allowed.parse ?? []) : ['users', 'roles', 'everyone'];
  const users = [...text.matchAll(/<@!?(\d+)>/g)].map((match) => match[1] ?? '');
  const roles = [...text.matchAll(/<@&(\d+)>/g)].map((match) => `role ${match[1]}`);
  return [
    ...new Set([
      ...users.filter((user) => parse.includes('users') || allowed?.users?.includes(user)),
      ...(parse.includes('roles') ? roles : []),
      ...(parse.includes('everyone') ? [...text.matchAll(/@(everyone|here)/g)].map((match) => match[0]) : []),
    ]),
  ];
}
