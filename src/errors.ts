/**
 * The root of all errors of the bot. An error that a person may read carries a sentence for that person (`userMessage`)
 * and the next step (`hint`). `code` is for tests and for searches in the log.
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

/** The person's input cannot be used. The error names the reason and the next step. */
export class InputError extends AppError {
  /** The option or field with the mistake, if the mistake belongs to only one. */
  readonly option: string | undefined;
  /** Whether a value is missing that a form could ask for. */
  readonly missing: boolean;

  constructor(
    code: string,
    userMessage: string,
    options: {
      hint?: string | undefined;
      cause?: unknown;
      option?: string | undefined;
      missing?: boolean | undefined;
    } = {},
  ) {
    super(code, userMessage, options);
    this.option = options.option;
    this.missing = options.missing ?? false;
  }
}

/** The same error, with the name of the option that has the mistake. Any other value is returned as it is. */
export function atOption(error: unknown, option: string): unknown {
  if (!(error instanceof InputError) || error.option !== undefined) return error;
  const { code, userMessage, hint, missing } = error;
  return new InputError(code, userMessage, { hint, missing, option, cause: error });
}

/** The person is not allowed to do this here, or not now. */
export class RefusedError extends AppError {
  /** Whether the same request of the same person may succeed later. */
  readonly later: boolean;

  constructor(
    code: string,
    userMessage: string,
    options: { hint?: string; cause?: unknown; later?: boolean } = {},
  ) {
    super(code, userMessage, options);
    this.later = options.later ?? false;
  }
}

/** The actions that a platform delays: messages, edits or both, in this channel or in all channels. */
export interface HeldUp {
  readonly posts: boolean;
  readonly edits: boolean;
  readonly everywhere: boolean;
}

/** The bot could not post, edit or upload. */
export class DeliveryError extends AppError {
  /** Whether the platform may have shown the message all the same (a timeout, a 5xx). */
  readonly outcome: 'not-sent' | 'unknown';
  /** Whether a later attempt can succeed without any repair by a person. */
  readonly retryable: boolean;
  /**
   * Whether an attempt can succeed after a person has repaired something, for example a permission. Such a message is
   * kept for a day.
   */
  readonly mendable: boolean;
  /** How many milliseconds the platform asked the bot to wait. Undefined if the platform did not ask. */
  readonly retryAfterMs: number | undefined;
  /**
   * Which other messages must also wait until the failed action may be tried again. Undefined if only actions of the
   * same type in the same channel have to wait.
   */
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

/** Whether `error` is a DeliveryError with one of these codes. */
export function isDeliveryError(error: unknown, ...codes: readonly string[]): error is DeliveryError {
  return error instanceof DeliveryError && codes.includes(error.code);
}

/**
 * The database cannot be used right now. `userMessage` and `hint` are for the person in chat. The log shows `problem`,
 * which names the database (never its password). If a start or a script ends because of the error, `remedy` is shown,
 * too.
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
      hint: 'Look with `status` or `list` before you try again: part of the request may have been done.',
      cause: options.cause,
    });
    this.problem = options.problem;
    this.remedy = options.remedy;
  }

  /** The error to show if the database failed before anything had begun. */
  nothingDone(): AppError {
    return new AppError(this.code, `${this.userMessage.slice(0, -1)}; nothing was done.`, {
      hint: 'Try again in a minute. If this goes on, whoever runs me finds the reason in my log.',
      cause: this,
    });
  }
}

/** A setting is missing or malformed. `problems` has a line for each such setting. */
export class ConfigError extends AppError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('config', problems.join('\n'), { hint: 'See .env.example for every setting.' });
    this.problems = problems;
  }
}
