
import { defineCommand } from 'file:///work/main/src/command/define.ts';

export default defineCommand({
  description: 'Ask for something that somebody has to approve',
  permission: 'deployments.read',
  ack: 'public',
  options: {
    application: { kind: 'string', required: true, positional: true, description: 'The application' },
    quietly: { kind: 'boolean', description: 'Whether the answer is private' },
  },
  async run({ options: { application, quietly = false }, asker, invocationId, payloads, prompt, respond }) {
    const args = { kind: 'values', subcommand: quietly ? 'quietly' : 'aloud', values: { application } };
    const request = { kind: 'command', command: 'greet', args };
    const stored = { id: 'approved-' + invocationId, at: asker.at, asker: { id: asker.id }, prompt, request };
    const action = { command: 'ask', action: 'approve', arg: await payloads.keep(stored) };
    await respond({ kind: 'card', tone: 'neutral', title: ['May I?'], nodes: [{ kind: 'buttons', buttons: [{ label: 'Approve', style: 'primary', action }] }] });
  },
  actions: {
    approve: {
      permission: 'deployments.read',
      ack: 'private',
      async run({ action, payloads, carryOut, respond, clock }) {
        const stored = await payloads.get(action.arg);
        if (stored.request.args.values.application === 'Kart Racing') {
          await respond({ kind: 'line', tone: 'progress', text: ['Soon'] });
          await new Promise((resolve) => clock.after(500, resolve));
        }
        await carryOut(stored);
        await respond({ kind: 'line', tone: 'neutral', text: ['Approved'] });
      },
    },
  },
});
