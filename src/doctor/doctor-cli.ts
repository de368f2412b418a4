import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { systemClock } from '../clock.ts';
import { readFlags } from '../flags.ts';
import { runDoctor } from './run.ts';

const usage = {
  text: `Usage: npm run doctor [-- --json] [-- --env FILE]

Checks every setting, and everything that the settings lead to: tokens, scopes, servers, roles, permissions, PUBLIC_URL,
the clock, the database, Edgegap. Each line says whether the part is ok, a warning or wrong, and how to mend it.

  --json      prints the findings as JSON
  --env FILE  the file with the settings, .env by default
  --help      this text

Exit code: 0 if all is well, 1 if there are warnings only, 2 if something is wrong.
`,
  options: { json: 'boolean', env: 'string' },
  schema: z.object({ json: z.boolean().default(false), env: z.string().default('.env') }),
} as const;

const flags = readFlags(usage);
if (flags)
  process.exitCode = await runDoctor({
    environment: process.env,
    envFile: flags.env,
    commandsFolder: fileURLToPath(new URL('../../commands', import.meta.url)),
    clock: systemClock,
    json: flags.json,
    print: (text) => process.stdout.write(text),
  });
