import { createMask, type Mask } from '../log/mask.ts';
import { DeploymentStatus } from './schema.ts';

const OWN_TAG = /^chatops-[0-9a-z]{12}$/;

/**
 * The tag that connects a deployment with its intent. The tag has 20 characters, because Edgegap documents two
 * different limits and this is the smaller limit.
 */
export function ownTag(id: string): string {
  return `chatops-${id}`;
}

/**
 * Whether the bot itself added the tag. People neither see nor change this tag, because the bot uses the tag to find a
 * deployment after a request whose outcome is unknown.
 */
export function isOwnTag(tag: string): boolean {
  return OWN_TAG.test(tag);
}

/** Returns the tags without the tag that the bot added. */
export function withoutOwnTags(tags: readonly string[]): string[] {
  return tags.filter((tag) => !isOwnTag(tag));
}

/**
 * Returns the id of the deployment from the tag that the bot added. Undefined if the tags do not contain such a tag.
 */
export function idOfOwnTag(tags: readonly string[]): string | undefined {
  return tags.find(isOwnTag)?.slice('chatops-'.length);
}

/** Masks secrets in a tag. A tag that the bot added stays unchanged. */
export function maskTag(tag: string, mask: Mask): string {
  return isOwnTag(tag) ? tag : mask(tag);
}

/**
 * Masks secrets in those texts of Edgegap's answer that people or game servers wrote. Ids, names and addresses stay
 * unchanged, because later requests and comparisons need them.
 */
export function masked<
  Told extends {
    tags: string[];
    error_detail?: string | undefined;
    command?: string | undefined;
    arguments?: string | undefined;
  },
>(told: Told, mask: Mask): Told {
  const { tags, error_detail, command, arguments: args } = told;
  const texts = {
    ...(error_detail === undefined ? {} : { error_detail: mask(error_detail) }),
    ...(command === undefined ? {} : { command: mask(command) }),
    ...(args === undefined ? {} : { arguments: mask(args) }),
  };
  return { ...told, ...texts, tags: tags.map((tag) => maskTag(tag, mask)) };
}

/**
 * The body of a callback as the store keeps it. The result contains only the fields that the bot reads later, and masks
 * secrets in these fields.
 */
export function maskedBody(body: string, mask: Mask = createMask([])): string {
  try {
    const status = DeploymentStatus.safeParse(JSON.parse(body));
    if (status.success) return JSON.stringify(masked(status.data, mask));
  } catch {}
  return mask(body);
}
