import type { ConsoleOptions } from '../adapters/console/adapter.ts';
import { paint, type Span, span } from '../adapters/console/spans.ts';

const INTRODUCTION = [
  'This terminal is the chat. Edgegap is simulated on this machine',
  'and calls back over HTTP; nothing is billed.',
];
/** The words between backticks are the words that a person can type. */
const IN_TERMINAL = [
  '',
  '`  deploy kart-racing v1.2 --near Montreal --tag qa`   a server',
  '`  deploy trouble no-image --near Tokyo`               one that fails',
  '`  logs @last` · `list` · `stop @last`',
  '`  #1` presses a button, `Tab` completes, `help` lists the commands, `exit` leaves',
  '',
];
const IN_PIPE = ['Try `help`; `@last` names the last server, `#1` presses button 1.'];

/** Explains the purpose of the demo, and names commands to try. */
export function greeting({
  input,
  output,
  color,
}: Pick<ConsoleOptions, 'input' | 'output' | 'color'>): string[] {
  const title = [span('edgegap-chatops', 'bold'), span(' · your dedicated servers, from chat')];
  const hints = input.isTTY && output.isTTY ? IN_TERMINAL : IN_PIPE;
  return [title, ...[...INTRODUCTION, ...hints].map(hintLine)].map((line) => paint(line, color));
}

function hintLine(text: string): Span[] {
  const spans = text.split('`').map((part, nth) => span(part, nth % 2 === 1 ? 'cyan' : 'dim'));
  return spans.filter((part) => part.text !== '');
}
