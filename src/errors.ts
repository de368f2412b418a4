/**
 * The base class of the bot's errors. If people may read the error, it contains a sentence for them (`userMessage`) and
 * the next step (`hint`). `code` is for tests and for searches in the log.
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

/** The person's input cannot be used. The error contains the reason and the next step. */
export class InputError extends AppError {
  /** The option or field that contains the mistake, if only one is concerned. */
  readonly option: string | undefined;
  /** Whether the mistake is a missing value, for which a form can ask. */
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

/** Returns the error with the name of the option that contains the mistake. Returns any other value unchanged. */
export function atOption(error: unknown, option: string): unknown {
  if (!(error instanceof InputError) || error.option !== undefined) return error;
  const { code, userMessage, hint, missing } = error;
  return new InputError(code, userMessage, { hint, missing, option, cause: error });
}

/** The person may not do this in this channel or at this time. */
export class RefusedError extends AppError {
  /** Whether the person's request may succeed later. */
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
  /** Whether the platform may have shown the message despite the error (a timeout, a 5xx). */
  readonly outcome: 'not-sent' | 'unknown';
  /** Whether a later attempt can succeed without a repair by a person. */
  readonly retryable: boolean;
  /**
   * Whether an attempt can succeed after a person has repaired something, for example a permission. The message is then
   * kept for a day.
   */
  readonly mendable: boolean;
  /** The wait that the platform asked for, in milliseconds. Undefined if the platform did not ask for a wait. */
  readonly retryAfterMs: number | undefined;
  /**
   * The other messages that must also wait until the failed action may be tried again. Undefined if only actions of the
   * same type in the same channel must wait.
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
 * The database cannot be used at present. `userMessage` and `hint` are for the person in chat. The log contains
 * `problem`, which names the database but never its password. If the error makes a start or a script fail, `remedy` is
 * also shown.
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

  /** The error to show if the database failed before the bot had done anything. */
  nothingDone(): AppError {
    return new AppError(this.code, `${this.userMessage.slice(0, -1)}; nothing was done.`, {
      hint: 'Try again in a minute. If this goes on, whoever runs me finds the reason in my log.',
      cause: this,
    });
  }
}

/** A setting is missing or malformed. `problems` has one line for each of these settings. */
export class ConfigError extends AppError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('config', problems.join('\n'), { hint: 'See .env.example for every setting.' });
    this.problems = problems;
  }
}
