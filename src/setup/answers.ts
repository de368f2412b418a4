import { readFileSync } from 'node:fs';
import { readEnvFile } from '../config/env-file.ts';
import { type Prompter, SetupError } from './prompter.ts';

/** The answers of a file, in the format of `.env`. Throws SetupError if the file cannot be read. */
export function readAnswers(path: string): Readonly<Record<string, string>> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new SetupError(
      `The answers file ${path} cannot be read (${(error as { code?: string }).code}).`,
      'Give the path of a file with lines NAME=value.',
    );
  }
  const { values, problems } = readEnvFile(bytes);
  const grave = problems.find(({ kind }) => kind === 'encoding' || kind === 'unclosed' || kind === 'cut');
  if (grave)
    throw new SetupError(
      `Line ${grave.line} of the answers file ${path} cannot be read.`,
      'Save the file as UTF-8, and close every quotation mark. A value with "#" stands in quotation marks.',
    );
  return values;
}

/** Answers the setup's questions from a file, for scripts. */
export function createAnswers(
  answers: Readonly<Record<string, string>>,
  print: (text: string) => void,
): Prompter {
  return {
    interactive: false,
    say: (text) => print(`${text}\n`),
    async ask({ key, fallback }) {
      const answer = (answers[key] ?? '').trim() || fallback;
      if (answer === undefined)
        throw new SetupError(`The answers file lacks ${key}.`, `Add a line ${key}=… to the file.`);
      return answer;
    },
    async wait({ text }, done) {
      if (!(await done())) throw new SetupError(text, 'Run setup again afterwards.');
    },
    close: () => undefined,
  };
}
