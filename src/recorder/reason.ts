import { NO_ROOM } from '../deployments/failure-words.ts';

/** The facts from which the bot infers the reason of a failure. */
export interface Failure {
  /** Edgegap's own text about the failure. */
  readonly detail: string | undefined;
  readonly exitCode?: number | undefined;
  /** `crash_data.message` of the log: why the container ended, in the words of the container runtime. */
  readonly message?: string | undefined;
  /** The last measured memory use, as a share of the limit from 0 to 1. */
  readonly memoryShare?: number | undefined;
}

const OUT_OF_MEMORY =
  'The server ran out of memory. Give the version more memory, or look for a leak in the server.';
const OOM = /out of memory|cannot allocate memory|\boom(?:[- ]?killed)?\b/i;
/** A killed server probably ran out of memory if it used at least this share of its memory. */
const FULL = 0.9;

/** Patterns of Edgegap's texts about a failure, each with the reason in simpler words. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [
    /image.{0,40}pull|pull.{0,40}image|manifest unknown|imagepull/is,
    'The image cannot be pulled. Check the name and the tag of the image and the access to its registry in the version.',
  ],
  [NO_ROOM, 'No place had room for the server. Try another city, or try again later.'],
  [
    /max[ _-]?(?:imum )?duration|time limit of the (?:version|deployment)/i,
    'The server ended by its own time, because the longest duration that its version allows was over.',
  ],
];

/**
 * The usual meaning of the exit codes of containers. A code is a shell exit code, or the sum of 128 and the number of a
 * signal.
 */
const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'The server ended by itself, without an error.',
  1: 'The server ended with an error of its own. The last lines of its log usually say which.',
  126: 'The start command of the container cannot be run. Check the start command and its file permissions.',
  127: 'The start command of the container was not found. Check the start command of the version.',
  132: 'The server used an instruction that the machine does not have. Build the server for a common processor.',
  134: 'The server aborted itself, usually because a check in its code failed.',
  137: 'The server was killed, usually because it ran out of memory.',
  139: 'The server crashed with a segmentation fault, because its code used memory in a wrong way.',
  143: 'The server was asked to end from outside, and ended.',
};

/** The reason of a failure in simple words. Undefined if only Edgegap's own text is known. */
export function reasonOf({
  detail = '',
  message = '',
  memoryShare = 0,
  ...failure
}: Failure): string | undefined {
  const exitCode = failure.exitCode ?? exitCodeIn(detail);
  if (OOM.test(`${message} ${detail}`) || (exitCode === 137 && memoryShare >= FULL)) return OUT_OF_MEMORY;
  const meaning = exitCode === undefined ? undefined : EXIT_CODES[exitCode];
  return meaning ?? CAUSES.find(([words]) => words.test(detail))?.[1];
}

/** Finds the exit code in Edgegap's text, for example in `The container exited with code 139`. */
export function exitCodeIn(detail: string): number | undefined {
  const [, code] = /\bexit(?:ed)?\b\D{0,20}?(?:code|status)\D{0,3}(\d{1,3})\b/i.exec(detail) ?? [];
  return code === undefined ? undefined : Number(code);
}

/** Returns a text that is the same for two failures of the same kind. */
export function sortOf(detail: string | undefined): string {
  return String(
    reasonOf({ detail }) ?? exitCodeIn(detail ?? '') ?? detail?.replace(/\b[0-9a-f]{8,}\b|\d+/gi, '#'),
  );
}
