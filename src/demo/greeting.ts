import type { ConsoleOptions } from '../adapters/console/adapter.ts';
import { paint, type Span, span } from '../adapters/console/spans.ts';

/** What this is, and what to try. */
export function greeting({
  input,
  output,
  color,
}: Pick<ConsoleOptions, 'input' | 'output' | 'color'>): string[] {
  const interactive = Boolean(input.isTTY && output.isTTY);
  const lines: Span[][] = [
    [span('edgegap-chatops', 'bold'), span(' · your dedicated servers, from chat')],
    [span('This terminal is the chat. Edgegap is simulated on this machine', 'dim')],
    [span('and calls back over HTTP; nothing is billed.', 'dim')],
  ];
  const command = (text: string) => span(text, 'cyan');
  const quiet = (text: string) => span(text, 'dim');
  const hints: Span[][] = interactive
    ? [
        [],
        [command('  deploy kart-racing v1.2 --near Montreal --tag qa'), quiet('   a server')],
        [command('  deploy trouble no-image --near Tokyo'), quiet('               one that fails')],
        [command('  logs @last'), quiet(' · '), command('list'), quiet(' · '), command('stop @last')],
        [
          command('  #1'),
          quiet(' presses a button, '),
          command('Tab'),
          quiet(' completes, '),
          command('help'),
          quiet(' lists the commands, '),
          command('exit'),
          quiet(' leaves'),
        ],
        [],
      ]
    : [
        [
          quiet('Try '),
          command('help'),
          quiet('; '),
          command('@last'),
          quiet(' names the last server, '),
          command('#1'),
          quiet(' presses button 1.'),
        ],
      ];
  return [...lines, ...hints].map((line) => paint(line, color));
}
