import type { Writable } from 'node:stream';

export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** `typed`: a command, shown as if typed; `reply`: a line that belongs under what was printed before. */
export type BlockKind = 'typed' | 'block' | 'reply';

/** Where finished lines go. */
export interface Screen {
  print(lines: readonly string[], kind: BlockKind): void;
}

/** Lines one after another, with a blank one between blocks. */
export function createPlainScreen(write: (text: string) => void): Screen {
  let previous: BlockKind | undefined;
  return {
    print(lines, kind) {
      const close = previous === undefined || kind === 'reply' || (previous === 'typed' && kind === 'block');
      write(`${close ? '' : '\n'}${lines.join('\n')}\n`);
      previous = kind;
    },
  };
}
