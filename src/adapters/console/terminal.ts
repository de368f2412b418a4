import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import type { LineHandlers, LineSource, TerminalInput } from './input.ts';
import { limits } from './limits.ts';
import type { Output, Screen } from './screen.ts';

export interface TerminalOptions {
  readonly input: TerminalInput;
  readonly output: Output;
  readonly prompt: string;
  readonly complete: (line: string) => Promise<[string[], string]>;
}

/**
 * A prompt at a real terminal, with line editing, history and completion. Output is printed above the line that is
 * being typed.
 */
export function openTerminal(options: TerminalOptions, handlers: LineHandlers): LineSource & Screen {
  const { input, output, prompt, complete } = options;
  const lines = createInterface({
    input,
    output,
    prompt,
    completer: (line, done) => void complete(line).then((found) => done(null, found), done),
    historySize: limits.history,
    removeHistoryDuplicates: true,
    terminal: true,
  });
  let over = false;

  lines.on('line', (text) => {
    if (handlers.line(text) === 'leave') lines.close();
    else lines.prompt();
  });
  // Readline reports an error when the window was closed.
  lines.on('error', () => lines.close());
  lines.on('SIGINT', () => lines.close());
  lines.on('close', () => {
    if (over) return;
    over = true;
    // Ends the line of this prompt, so that the shell's prompt appears on a new line.
    output.write('\n');
    handlers.end('end');
  });
  lines.prompt();

  return {
    print(block) {
      const text = `${block.join('\n')}\n\n`;
      if (over) return void output.write(text);
      const { rows } = lines.getCursorPos();
      moveCursor(output, 0, -rows);
      cursorTo(output, 0);
      clearScreenDown(output);
      output.write(text);
      // Before readline redraws its line, it moves the cursor up by `prevRows` rows. After a paste, this count is
      // wrong.
      Object.assign(lines, { prevRows: 0 });
      lines.prompt(true);
    },
    close: () => lines.close(),
  };
}
