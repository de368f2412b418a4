/**
 * The one error tree. Whatever a person may come to read carries a sentence for them
 * (`userMessage`) and what to do next (`hint`); `code` is for tests and log searches.
 */
export class AppError extends Error {
  readonly code: string;
  readonly userMessage: string;
  readonly hint: string | undefined;

  constructor(
    code: string,
    userMessage: string,
    options: { hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(`${code}: ${userMessage}`, { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.userMessage = userMessage;
    this.hint = options.hint;
  }
}

/** What the person typed or chose cannot be used; says what is wrong and what to do. */
export class InputError extends AppError {}

/** The person may not do this, here. */
export class RefusedError extends AppError {}

/** What a platform that asks to wait holds up: messages, edits or both, in this channel or in all of them. */
export interface HeldUp {
  readonly posts: boolean;
  readonly edits: boolean;
  readonly everywhere: boolean;
}

/** The bot cannot post, edit or upload where it was asked to. */
export class DeliveryError extends AppError {
  /** Whether the platform may have shown the message all the same (a timeout, a 5xx). */
  readonly outcome: 'not-sent' | 'unknown';
  /** Whether a later attempt can succeed without anyone doing anything. */
  readonly retryable: boolean;
  /** Whether it can succeed once someone has mended something: a permission, a token. Kept for a day, then. */
  readonly mendable: boolean;
  /** Milliseconds the platform asked us to wait, when it said so. */
  readonly retryAfterMs: number | undefined;
  /** What has to wait as long; undefined: what was tried, in its channel. */
  readonly heldUp: HeldUp | undefined;

  constructor(
    code: string,
    userMessage: string,
    options: Pick<DeliveryError, 'outcome' | 'retryable'> &
      Partial<Pick<DeliveryError, 'hint' | 'cause' | 'mendable' | 'retryAfterMs' | 'heldUp'>>,
  ) {
    super(code, userMessage, options);
    this.outcome = options.outcome;
    this.retryable = options.retryable;
    this.mendable = options.mendable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.heldUp = options.heldUp;
  }
}

/** Whether a platform failed at a message for one of these reasons. */
export function isDeliveryError(error: unknown, ...codes: readonly string[]): error is DeliveryError {
  return error instanceof DeliveryError && codes.includes(error.code);
}

/**
 * The database cannot be used right now. `userMessage` and `hint` are for whoever asked for something; the log says
 * `problem`, which names the database (never its password), and whatever ends by it, a start or a script, `remedy` too.
 */
export class StoreError extends AppError {
  readonly problem: string;
  readonly remedy: string;

  constructor(
    code: 'store-unreachable' | 'store-full' | 'store-broken',
    userMessage: string,
    options: { problem: string; remedy: string; cause: unknown },
  ) {
    super(code, userMessage, {
      hint: 'Look with status or list before you try again: part of it may have been done.',
      cause: options.cause,
    });
    this.problem = options.problem;
    this.remedy = options.remedy;
  }

  /** What to say where it failed before anything had begun. */
  nothingDone(): AppError {
    return new AppError(this.code, `${this.userMessage.slice(0, -1)}; nothing was done.`, {
      hint: 'Try again in a minute. If it stays like this, whoever runs this bot finds more in its log.',
      cause: this,
    });
  }
}

/** A setting is missing or malformed; `problems` has one line for each. */
export class ConfigError extends AppError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('config', problems.join('\n'), { hint: 'See .env.example for every setting.' });
    this.problems = problems;
  }
}
