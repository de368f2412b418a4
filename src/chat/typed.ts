import type { Rich, Typed } from './card.ts';

/**
 * A command or options in a hint: a text in backticks, such as `list` or `--near Montreal`. Backticks inside words or
 * quotation marks do not match.
 */
const MARKED = /(?<=^|[\s(])`([^`\n]+)`(?=$|[\s.,:;?)])/gu;

/** Turns a sentence into rich text. Commands in backticks become links or lines to type. */
export function withTyped(sentence: string): Rich {
  // `split` with a capturing group returns the texts between the matches and the groups, in alternation.
  return sentence
    .split(MARKED)
    .map((part, index) => (index % 2 === 1 ? { typed: part } : part))
    .filter((part) => part !== '');
}

/** Writes a command or options in the form in which a person types them in a certain channel. */
export type Spelling = (typed: string) => Typed;

/** Replaces every command in a message, or in a part of a message, with the form that people type in the channel. */
export function spelled<Part>(part: Part, spelling: Spelling): Part {
  if (Array.isArray(part)) return part.map((one) => spelled(one, spelling)) as Part;
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return part;
  if ('typed' in part && typeof part.typed === 'string') return spelling(part.typed) as Part;
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, spelled(value, spelling)]),
  ) as Part;
}

/** Whether the text is a command, and not only options of a command. */
export function isCommandLine(typed: string): boolean {
  return !typed.startsWith('-');
}
