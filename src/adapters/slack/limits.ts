/**
 * Slack's limits. Unless a comment names another source, the numbers come from the Block Kit reference on
 * docs.slack.dev. The comments of @slack/types give the same numbers.
 */
export const LIMITS = {
  /** Number of blocks in a message. */
  blocks: 50,
  /** Characters of a text object in a context block, and of the text in a form's text field. */
  text: 3000,
  /** Characters of a picture's alternative text (files.getUploadURLExternal, alt_txt_too_large). */
  alt: 1000,
  /** Characters of a header block. */
  header: 150,
  /**
   * Number of options in a menu. `option` limits the characters of an option's label, description or value.
   * `placeholder` limits the characters of the text that an empty menu or field shows.
   */
  options: 100,
  option: 75,
  placeholder: 150,
  /**
   * A modal (views reference). `blocks` is a number of blocks, and the other limits are in characters. `label` is for
   * the title and the button, and `field` is for a field's label or hint. `mistake` is for the error text at a field,
   * for which Slack documents no limit.
   */
  view: { blocks: 100, label: 24, field: 2000, mistake: 1000 },
  /** A data table (data table block reference). `rows` does not count the header, and `characters` counts all cells. */
  dataTable: { rows: 100, columns: 20, characters: 10_000 },
  /** Characters of a container's title. */
  container: 150,
  /** Characters of the title of a plan or task. Slack documents no limit, so the bot uses the limit of a header. */
  task: 150,
  /** Characters of a button's label. */
  button: 75,
  /** Characters of a button's URL. */
  url: 3000,
  /** Number of elements in an actions block. */
  actions: 25,
  /** Number of fields in a section block. `fieldText` limits the characters of a field. */
  fields: 10,
  fieldText: 2000,
  /**
   * Characters of a field that is shown in one of two columns. The bot sets this limit itself, because longer text
   * would wrap.
   */
  cell: 40,
  /** Number of elements in a context block. */
  context: 10,
  /**
   * Characters of all blocks together. Slack does not document this limit. chat.postMessage answers
   * `msg_blocks_too_long` at about 13,200 characters, including containers (bolt-js#2509, #2867). The bot measures the
   * length of the JSON, which is never shorter than the text that Slack counts.
   */
  blocksJson: 12_000,
  /** Characters of the text for notifications and screen readers. Slack recommends at most 4,000 (chat.postMessage). */
  fallback: 1000,
  /**
   * Characters of a log that one call appends to a message. Slack accepts 12,000 (chat.appendStream). This limit is
   * lower, because the bot adds invisible characters, which make a text at most 50 % longer.
   */
  streamed: 7_900,
} as const;

/**
 * The least time between two messages, or between two edits, in a channel. In each channel, Slack allows about one
 * message per second, and 50 edits per minute (docs.slack.dev, rate limits).
 */
export const PACE_MS = { post: 1_000, edit: 1_200 } as const;

/**
 * How long the bot can answer an invocation. A response_url accepts answers for half an hour (docs.slack.dev, “Handling
 * user interaction”). A mention has no response_url, but the bot uses the same limit.
 */
export const ANSWERABLE_MS = 29 * 60_000;

/**
 * If Slack does not answer a request within this time, the bot stops waiting. The outcome of the request is then
 * unknown.
 */
export const REQUEST_TIMEOUT_MS = 10_000;
