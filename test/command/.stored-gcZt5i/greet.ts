
import { defineCommand, defineGroup } from 'file:///work/main/src/command/define.ts';

const greet = (ack) => defineCommand({
  description: 'Greet an application',
  permission: 'deployments.tag',
  ack,
  options: {
    application: { kind: 'application', required: true, positional: true, description: 'The application' },
  },
  async run({ options, asker, respond, postCard }) {
    const greeting = { kind: 'card', tone: 'success', title: ['Hello ', options.application], nodes: [{ kind: 'text', text: ['for ', asker.name] }] };
    if (ack === 'public') await postCard({ ...greeting, title: ['Greeting'] });
    await respond(greeting);
  },
});

export default defineGroup({
  description: 'Greet an application',
  subcommands: { aloud: greet('public'), quietly: greet('private') },
});
