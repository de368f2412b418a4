/**
 * Discord's limits as data. Sources: Discord developer documentation, "Components Reference" and "Message Resource"
 * (Components V2), "Application Commands", "Receiving and Responding", and `discord-api-spec`, the vendor's OpenAPI.
 */
export const limits = {
  /** Components in one message, nested ones included (Components Reference, "Components V2"). */
  components: 40,
  /** Characters in all text of one message together (same place). */
  text: 4000,
  /** Buttons in one action row. */
  rowButtons: 5,
  buttonLabel: 80,
  buttonUrl: 512,
  /** Characters that say in words what a picture shows. */
  alt: 1024,
  /** A menu, in a message or a form (Components Reference, "String Select"). */
  select: { choices: 25, label: 100, value: 100, placeholder: 150 },
  /** A modal: fields, and characters of its texts (Components Reference, "Label" and "Text Input"; title: Interactions). */
  form: { fields: 5, title: 45, label: 45, hint: 100, text: 4000 },
  /** What is offered to somebody who is typing (Interactions, "Autocomplete"). */
  suggestions: { choices: 25, length: 100 },
  /** Files in one message. */
  files: 10,
  /** Bytes of one file where the server is not boosted (`attachment_size_limit`). */
  fileBytes: 10 * 1024 * 1024,
  /** Bytes of all files of one request. */
  requestBytes: 25 * 1024 * 1024,
  /** How long an interaction's token lets us fill in and edit its answer. */
  interactionTokenMs: 15 * 60_000,
  /** Characters of a nonce. */
  nonce: 25,
  /** Messages a page of a channel's history holds at most. */
  historyPage: 100,
  /** Characters of all names, descriptions and choices of a command. */
  commandCharacters: 8000,
  /** `max_length` of a string option. */
  optionLength: 6000,
} as const;

/**
 * How much of a card one piece of prose may take, so that one long value does not hide all the others. `spare` is for
 * the ellipses of what no longer fits at all.
 */
export const shares = {
  title: 256,
  prose: 1500,
  field: 700,
  cell: 60,
  label: 100,
  leastCode: 300,
  spare: 80,
} as const;

/**
 * Discord allows about 5 messages in 5 seconds a channel, and as many edits: each route has a bucket of its own, and
 * the exact ones come in response headers.
 */
export const PACE_MS = { post: 1_000, edit: 1_000 } as const;
