import { createMask, type Mask } from '../log/mask.ts';
import { DeploymentStatus } from './schema.ts';

const OWN_TAG = /^chatops-[0-9a-z]{12}$/;

/**
 * The tag that connects a deployment with its intent. The tag has 20 characters, which is the smaller of the two limits
 * that Edgegap documents.
 */
export function ownTag(id: string): string {
  return `chatops-${id}`;
}

/**
 * Whether the tag is the bot's own. Such tags are not shown and cannot be changed, because the bot needs them to find a
 * deployment after a request whose outcome is unknown.
 */
export function isOwnTag(tag: string): boolean {
  return OWN_TAG.test(tag);
}

/** The tags without the bot's own tag. */
export function withoutOwnTags(tags: readonly string[]): string[] {
  return tags.filter((tag) => !isOwnTag(tag));
}

/** The id of the deployment to which the bot's own tag among the tags belongs. Undefined if there is no such tag. */
export function idOfOwnTag(tags: readonly string[]): string | undefined {
  return tags.find(isOwnTag)?.slice('chatops-'.length);
}

/** Masks secrets in a tag, unless the tag is one of the bot's own. */
export function maskTag(tag: string, mask: Mask): string {
  return isOwnTag(tag) ? tag : mask(tag);
}

/**
 * Masks secrets in the texts of Edgegap's answer that people or game servers wrote. Ids, names and addresses stay
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
 * The body of a callback in the form in which the store keeps it. The result contains only the fields that the bot
 * reads later, and secrets in them are masked.
 */
export function maskedBody(body: string, mask: Mask = createMask([])): string {
  try {
    const status = DeploymentStatus.safeParse(JSON.parse(body));
    if (status.success) return JSON.stringify(masked(status.data, mask));
  } catch {}
  return mask(body);
}
