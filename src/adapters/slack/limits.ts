/**
 * Slack's limits, as data. Unless a comment says otherwise, the source is the Block Kit reference on docs.slack.dev.
 * The comments of @slack/types give the same numbers.
 */
export const LIMITS = {
  /** Blocks in a message. */
  blocks: 50,
  /** Characters of a text object in a context block, and of a text field. */
  text: 3000,
  /** Characters of the alternative text of a picture (files.getUploadURLExternal, alt_txt_too_large). */
  alt: 1000,
  /** Characters of a header block. */
  header: 150,
  /**
   * Number of options of a menu. The next two limits are in characters. `option` limits an option's label, description
   * or value. `placeholder` limits the text that is shown while nothing is chosen.
   */
  options: 100,
  option: 75,
  placeholder: 150,
  /**
   * A modal: the number of blocks, the characters of its title and of its button, and the characters of a field's label
   * or hint (views reference). `mistake` limits the text about a mistake in a field, for which Slack documents no
   * limit.
   */
  view: { blocks: 100, label: 24, field: 2000, mistake: 1000 },
  /** A data table: rows without the header, columns, and characters of all cells (data table block reference). */
  dataTable: { rows: 100, columns: 20, characters: 10_000 },
  /** Characters of the title of a container, which is a block that people can fold. */
  container: 150,
  /**
   * Characters of the title of a plan block or of a task in a plan block. Slack documents no limit, so the bot uses the
   * limit of a header.
   */
  task: 150,
  /** Characters of a button's label. */
  button: 75,
  /** Characters of a button's URL. */
  url: 3000,
  /** Elements of one actions block. */
  actions: 25,
  /** Fields of one section block, and characters of a field. */
  fields: 10,
  fieldText: 2000,
  /**
   * Characters of a field that stands in one of two columns. Slack has no such limit. The bot sets it, because longer
   * text would wrap.
   */
  cell: 40,
  /** Elements of one context block. */
  context: 10,
  /**
   * Characters of all blocks together. Slack does not document this limit. chat.postMessage answers
   * `msg_blocks_too_long` at about 13,200 characters, containers included (bolt-js#2509, #2867). The bot measures the
   * length of the JSON, which is never shorter than the text that Slack counts.
   */
  blocksJson: 12_000,
  /**
   * Characters of the text that Slack shows if it does not show the blocks. Slack recommends at most 4,000
   * (chat.postMessage).
   */
  fallback: 1000,
  /**
   * Characters of a log that one call appends to a message. Slack accepts 12,000 (chat.appendStream). This limit is
   * lower, because the bot adds invisible characters later. These characters lengthen a text by at most half.
   */
  streamed: 7_900,
} as const;

/**
 * The least time between two messages, or between two edits, in a channel. Slack allows about a message a second in
 * each channel, and 50 edits a minute (docs.slack.dev, rate limits).
 */
export const PACE_MS = { post: 1_000, edit: 1_200 } as const;

/**
 * How long an invocation can be answered. A response_url accepts answers for half an hour (docs.slack.dev, “Handling
 * user interaction”). A mention has no response_url, but the bot uses the same limit for it.
 */
export const ANSWERABLE_MS = 29 * 60_000;

/** If Slack has not answered a request after this time, the outcome of the request is unknown. */
export const REQUEST_TIMEOUT_MS = 10_000;
