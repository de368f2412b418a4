/**
 * Slack's limits, as data. Sources: the Block Kit reference on docs.slack.dev (the same numbers stand in the
 * comments of @slack/types), unless said otherwise.
 */
export const LIMITS = {
  /** Blocks in a message. */
  blocks: 50,
  /** Characters of a text object in a context block, and of a text field. */
  text: 3000,
  /** Characters that say in words what a picture shows (files.getUploadURLExternal, alt_txt_too_large). */
  alt: 1000,
  /** Characters of a header block. */
  header: 150,
  /**
   * Options of a menu; characters of an option's label, description or value; characters of the text shown while
   * nothing is chosen.
   */
  options: 100,
  option: 75,
  placeholder: 150,
  /** A modal: input blocks, characters of its title and its button, and of a field's label or hint (views reference). */
  view: { blocks: 100, label: 24, field: 2000 },
  /** Characters of a button's label. */
  button: 75,
  /** Characters of a button's URL. */
  url: 3000,
  /** Elements of one actions block. */
  actions: 25,
  /** Elements of one context block. */
  context: 10,
  /**
   * Characters of all blocks together. Undocumented: chat.postMessage answers `msg_blocks_too_long` at about 13,200,
   * containers included (bolt-js#2509, #2867). Measured here on the JSON, which is never shorter than the text that
   * Slack counts.
   */
  blocksJson: 12_000,
  /** Characters of the text shown in place of blocks. chat.postMessage recommends at most 4,000. */
  fallback: 1000,
} as const;

/** Slack allows about one message a second and channel, and 50 edits a minute (docs.slack.dev, rate limits). */
export const PACE_MS = { post: 1_000, edit: 1_200 } as const;

/** A response_url takes answers for half an hour (handling user interaction); a mention is given as long. */
export const ANSWERABLE_MS = 29 * 60_000;

/** A request that Slack has not answered after this time has an unknown outcome. */
export const REQUEST_TIMEOUT_MS = 10_000;
