import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { readFlags } from '../../flags.ts';
import { runRegister } from './register.ts';

const usage = {
  text: `Usage: npm run register

Registers the commands in each server of DISCORD_GUILDS, and says what changed. The settings are those of the bot.
`,
  options: {},
  schema: z.object({}),
} as const;

if (readFlags(usage))
  process.exitCode = await runRegister({
    envFile: '.env',
    commandsFolder: fileURLToPath(new URL('../../../commands', import.meta.url)),
    print: (line) => console.log(line),
  });
