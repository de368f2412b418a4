import { cutEnd } from '../../chat/text.ts';

/**
 * Keeps as many whole lines of `text` as fit into `length` characters, from the start or from the end. Adds a line that
 * says how many lines are missing.
 */
export function cutLines(text: string, length: number, keep: 'start' | 'end'): string {
  if (text.length <= length) return text;
  const lines = text.split('\n');
  const ordered = keep === 'start' ? lines : lines.toReversed();
  const kept: string[] = [];
  let room = length;
  for (const line of ordered) {
    if (line.length + 1 > room) break;
    room -= line.length + 1;
    kept.push(line);
  }
  const missing = lines.length - kept.length;
  // If no whole line fits, keeps a part of a line.
  if (kept.length === 0)
    return keep === 'start'
      ? cutEnd(text, length)
      : `…${text.slice(-Math.max(1, length - 1)).replace(/^[\uDC00-\uDFFF]/, '')}`;
  const note = `… ${missing} ${keep === 'start' ? 'more' : 'earlier'} ${missing === 1 ? 'line' : 'lines'} not shown`;
  return keep === 'start' ? [...kept, note].join('\n') : [note, ...kept.toReversed()].join('\n');
}

/** Removes terminal colours and control characters, because Slack would show them as boxes. */
export function visible(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are removed
      .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
      .replace(/\r\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are removed
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
  );
}
