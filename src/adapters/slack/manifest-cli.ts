import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { loadCommands } from '../../command/load.ts';
import { readFlags } from '../../flags.ts';
import { createManifest } from './manifest.ts';

const usage = {
  text: `Usage: npm run slack:manifest [-- --http https://bot.example.com]

Prints the settings to make the Slack app from: for Socket Mode, or for HTTP mode at that address.
`,
  options: { http: 'string' },
  schema: z.object({
    http: z
      .url({
        protocol: /^https$/,
        error: 'Slack delivers to https only: --http needs a URL that starts with https://.',
      })
      .optional(),
  }),
} as const;

const flags = readFlags(usage);
if (flags) {
  const directory = await loadCommands(fileURLToPath(new URL('../../../commands', import.meta.url)));
  process.stdout.write(`${JSON.stringify(createManifest(directory, flags.http), null, 2)}\n`);
}
