/**
 * A minimal bot of discord.js and Bolt, connected to both platforms. The bench `footprint` compares the real bot with
 * this minimal bot.
 */
import { App } from '@slack/bolt';
import { Client, Events, GatewayIntentBits } from 'discord.js';

const {
  DISCORD_API_URL = '',
  DISCORD_TOKEN,
  SLACK_API_URL = '',
  SLACK_APP_TOKEN,
  SLACK_BOT_TOKEN,
} = process.env;
const say = (line: string) => process.stdout.write(`${line}\n`);

// The local Discord sends no servers, so the client does not wait for them.
const client = new Client({
  intents: [GatewayIntentBits.Guilds],
  rest: { api: DISCORD_API_URL },
  waitGuildTimeout: 0,
});
client.once(Events.ClientReady, () => say('Discord is ready'));
client.on(Events.InteractionCreate, () => undefined);

const app = new App({
  token: SLACK_BOT_TOKEN,
  appToken: SLACK_APP_TOKEN,
  socketMode: true,
  clientOptions: { slackApiUrl: SLACK_API_URL },
});
app.command('/edgegap', async ({ ack }) => await ack());

await Promise.all([client.login(DISCORD_TOKEN), app.start()]);
say('Slack is ready');
