/**
 * A minimal bot of discord.js and Bolt, which acknowledges each command and always sends the same answer. The bench `ack`
 * compares the real bot with this minimal bot.
 */
import { App, HTTPReceiver } from '@slack/bolt';
import { Client, Events, GatewayIntentBits, MessageFlags } from 'discord.js';

/** The answer to every command on each platform, as JSON in the variable ANSWERS. */
export interface BareAnswers {
  readonly slack: { readonly text: string; readonly blocks: readonly unknown[] };
  readonly discord: { readonly components: readonly unknown[] };
}

const {
  ANSWERS = '',
  DISCORD_API_URL = '',
  DISCORD_TOKEN,
  PORT,
  SLACK_API_URL = '',
  SLACK_BOT_TOKEN,
  SLACK_SIGNING_SECRET = '',
} = process.env;
const answers = JSON.parse(ANSWERS);
const say = (line: string) => process.stdout.write(`${line}\n`);

// The local Discord sends no servers, so the client does not wait for them.
const client = new Client({
  intents: [GatewayIntentBits.Guilds],
  rest: { api: DISCORD_API_URL },
  waitGuildTimeout: 0,
});
client.once(Events.ClientReady, () => say('Discord is ready'));
client.on(Events.InteractionCreate, async (interaction) => {
  if (!interaction.isChatInputCommand()) return;
  await interaction.deferReply({ flags: MessageFlags.Ephemeral });
  await interaction.editReply({ flags: MessageFlags.IsComponentsV2, ...answers.discord });
});

const receiver = new HTTPReceiver({ signingSecret: SLACK_SIGNING_SECRET, endpoints: ['/slack/events'] });
const app = new App({
  token: SLACK_BOT_TOKEN,
  receiver,
  clientOptions: { slackApiUrl: SLACK_API_URL.endsWith('/') ? SLACK_API_URL : `${SLACK_API_URL}/` },
});
app.command('/edgegap', async ({ ack, respond }) => {
  await ack();
  await respond({ ...answers.slack, response_type: 'ephemeral' });
});

await Promise.all([client.login(DISCORD_TOKEN), app.start(Number(PORT))]);
say('Slack is ready');
