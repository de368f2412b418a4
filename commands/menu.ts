import type { Node, Rich } from '../src/chat/card.ts';
import { NO_ACCESS } from '../src/command/authorise.ts';
import { callButton } from '../src/command/call.ts';
import { defineCommand } from '../src/command/define.ts';

interface Job {
  readonly label: string;
  /** The command or subcommand that the button calls without options, for example `preset list`. */
  readonly calls: string;
  readonly style?: 'primary' | 'secondary';
}

/** The main commands, in groups of buttons. `help` lists all commands. */
const GROUPS: readonly { readonly title: string; readonly jobs: readonly Job[] }[] = [
  {
    title: 'Start',
    jobs: [
      { label: 'Deploy', calls: 'deploy', style: 'primary' },
      { label: 'Presets', calls: 'preset list' },
      { label: 'Versions', calls: 'versions' },
    ],
  },
  {
    title: 'Look',
    jobs: [
      { label: 'My servers', calls: 'home' },
      { label: 'All servers', calls: 'list' },
      { label: 'Status', calls: 'status' },
      { label: 'Logs', calls: 'logs' },
      { label: 'Metrics', calls: 'metrics' },
    ],
  },
  {
    title: 'Change',
    jobs: [
      { label: 'Add a tag', calls: 'tags add' },
      { label: 'Stop', calls: 'stop' },
      { label: 'Stop many', calls: 'bulk-stop' },
    ],
  },
];

const HOW_TO_TYPE: Rich = [
  'Or type a command: ',
  { typed: 'deploy kart-racing v1.2 --near Montreal' },
  '. ',
  { typed: 'help' },
  ' shows all commands.',
];

export default defineCommand({
  description: 'Show the main jobs as buttons',
  permission: 'help',
  ack: 'private',
  options: {},
  async run(context) {
    const nodes = GROUPS.flatMap(({ title, jobs }): Node[] => {
      const buttons = jobs.flatMap((job) => callButton(context, job.calls, job));
      if (buttons.length === 0) return [];
      return [
        { kind: 'text', text: [{ bold: title }] },
        { kind: 'buttons', buttons },
      ];
    });
    const note: Rich = nodes.length > 0 ? HOW_TO_TYPE : [NO_ACCESS];
    await context.respond({
      kind: 'card',
      tone: 'neutral',
      title: [nodes.length > 0 ? 'What do you want to do?' : 'There is nothing for you to do here'],
      nodes: [...nodes, { kind: 'note', text: note }],
    });
  },
});
