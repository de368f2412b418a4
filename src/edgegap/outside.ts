import { createMask, type Mask } from '../log/mask.ts';
import { DeploymentStatus } from './schema.ts';

const OWN_TAG = /^chatops-[0-9a-z]{12}$/;

/** The tag that ties a deployment to an intent: 20 characters, the shorter of the vendor's documented limits. */
export function ownTag(id: string): string {
  return `chatops-${id}`;
}

/**
 * The bot's own tags are not shown and cannot be changed: by such a tag the bot finds a deployment after a request
 * with an unknown outcome.
 */
export function isOwnTag(tag: string): boolean {
  return OWN_TAG.test(tag);
}

/** Masks a tag unless the tag is one of the bot's own. */
export function maskTag(tag: string, mask: Mask): string {
  return isOwnTag(tag) ? tag : mask(tag);
}

/**
 * Masks secrets in the texts that people and game servers wrote into Edgegap's answer. Ids, names and addresses stay
 * as they are, because later requests and comparisons need them.
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

/** The body of a callback for the store: only the fields that are read later, masked. */
export function maskedBody(body: string, mask: Mask = createMask([])): string {
  try {
    const status = DeploymentStatus.safeParse(JSON.parse(body));
    if (status.success) return JSON.stringify(masked(status.data, mask));
  } catch {}
  return mask(body);
}
