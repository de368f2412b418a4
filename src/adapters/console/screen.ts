import type { Writable } from 'node:stream';

export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** `typed`: a command, shown as if a person had typed it. `reply`: a line that belongs to the block above. */
export type BlockKind = 'typed' | 'block' | 'reply';

/** Prints finished lines. */
export interface Screen {
  print(lines: readonly string[], kind: BlockKind): void;
}

/** Prints block after block, with a blank line in between. */
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
