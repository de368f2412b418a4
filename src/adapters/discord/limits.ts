/**
 * Discord's limits, as data. Sources: Discord developer documentation, "Components Reference" and "Message Resource"
 * (Components V2), "Application Commands", "Receiving and Responding", and `discord-api-spec`, the vendor's OpenAPI.
 */
export const limits = {
  /** Components in one message, nested components included (Components Reference, "Components V2"). */
  components: 40,
  /** Characters in all texts of a message together (Components Reference, "Components V2"). */
  text: 4000,
  /** Buttons in one action row. */
  rowButtons: 5,
  buttonLabel: 80,
  buttonUrl: 512,
  /** Characters of the alternative text of a picture. */
  alt: 1024,
  /** A menu, in a message or a form (Components Reference, "String Select"). */
  select: { choices: 25, label: 100, value: 100, placeholder: 150 },
  /**
   * The limits of a modal: the number of its fields, and the lengths of its texts in characters (Components Reference,
   * "Label" and "Text Input"). The length of the title is from "Interactions".
   */
  form: { fields: 5, title: 45, label: 45, hint: 100, placeholder: 100, text: 4000 },
  /** Suggestions while a person is typing (Interactions, "Autocomplete"). */
  suggestions: { choices: 25, length: 100 },
  /** Files in one message. */
  files: 10,
  /** Bytes of one file on a server that is not boosted (`attachment_size_limit`). */
  fileBytes: 10 * 1024 * 1024,
  /** Bytes of all files of one request. */
  requestBytes: 25 * 1024 * 1024,
  /** How long an interaction's token can be used to fill in and edit the answer. */
  interactionTokenMs: 15 * 60_000,
  /** Characters of a nonce. */
  nonce: 25,
  /** Messages in a page of a channel's history. */
  historyPage: 100,
  /** Characters of all names, descriptions and choices of a command. */
  commandCharacters: 8000,
  /** `max_length` of a string option. */
  optionLength: 6000,
} as const;

/**
 * The maximum number of characters for each part of a card, so that a long value leaves room for the other values.
 * `spare` is reserved for the ellipses that replace parts for which no room is left.
 */
export const shares = {
  title: 256,
  prose: 1500,
  field: 700,
  cell: 60,
  /** The width of monospaced text in a card, in columns. Discord wraps a longer line. */
  line: 60,
  label: 100,
  leastCode: 300,
  spare: 80,
} as const;

/**
 * The least time between two messages, or between two edits, in a channel. Discord allows about 5 messages in 5 seconds
 * per channel, and the same number of edits. Each route has its own rate limit, and the response headers give the exact
 * values.
 */
export const PACE_MS = { post: 1_000, edit: 1_000 } as const;
