import { defineCommand } from '../src/command/define.ts';
import { doctorCard } from '../src/command/doctor-card.ts';

export default defineCommand({
  description: 'Check the bot: tokens, permissions, address, clock, database',
  permission: 'bot.inspect',
  ack: 'private',
  options: {},
  async run({ examine, respond }) {
    await respond(doctorCard(await examine()));
  },
});
