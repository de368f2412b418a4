import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { type Prompter, SetupError, type SetupQuestion, SkippedStep } from './prompter.ts';

const SKIP = 'skip';
/** The interval between two calls of `done` in `wait`, in milliseconds. */
const LOOK_MS = 2_000;

export interface TerminalStreams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** A person at a terminal. A typed secret is not shown and not kept in the history. */
export function createTerminal({ input, output }: TerminalStreams): Prompter {
  let muted = false;
  const shown = new Writable({
    write(chunk, _encoding, done) {
      if (!muted) output.write(chunk);
      done();
    },
  });
  const reader = createInterface({ input, output: shown, terminal: true, historySize: 0 });
  /** Lines that were typed before the question. */
  const early: string[] = [];
  let take: ((line: string | undefined) => void) | undefined;
  let closed = false;
  reader.on('line', (line) => (take ? take(line) : early.push(line)));
  reader.on('close', () => {
    closed = true;
    take?.(undefined);
  });

  /** The next line that the person types. Undefined if `cancelled` resolves first. */
  async function nextLine({ text, secret = false, fallback }: SetupQuestion, cancelled?: Promise<void>) {
    const usual = fallback === undefined || fallback === '' ? '' : secret ? ' [keep]' : ` [${fallback}]`;
    const typed = Promise.withResolvers<string | undefined>();
    take = typed.resolve;
    reader.setPrompt(`${text}${usual}: `);
    reader.prompt();
    muted = secret;
    const [first] = early.splice(0, 1);
    if (first !== undefined) typed.resolve(first);
    else if (closed) typed.resolve(undefined);
    const line = await (cancelled ? Promise.race([typed.promise, cancelled]) : typed.promise);
    take = undefined;
    muted = false;
    if (secret || line === undefined) output.write('\n');
    if (closed && line === undefined)
      throw new SetupError(
        'The setup was ended.',
        'The settings that were answered are saved. Run setup again to go on.',
      );
    if (line?.trim().toLowerCase() === SKIP) throw new SkippedStep();
    return line?.trim();
  }

  return {
    interactive: true,
    say: (text) => void output.write(`${text}\n`),
    async ask(question) {
      for (;;) {
        const line = await nextLine(question);
        if (line) return line;
        if (question.fallback !== undefined) return question.fallback;
        output.write(`  Please give an answer, or type ${SKIP} to skip this step.\n`);
      }
    },
    async wait(question, done) {
      let timer: NodeJS.Timeout | undefined;
      try {
        for (;;) {
          const found = Promise.withResolvers<void>();
          let isDone = false;
          const look = async () => {
            isDone = await done();
            if (isDone) found.resolve();
            else timer = setTimeout(() => void look().catch(found.reject), LOOK_MS);
          };
          clearTimeout(timer);
          look().catch(found.reject);
          await nextLine(question, found.promise);
          if (isDone || (await done())) return;
        }
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => reader.close(),
  };
}
