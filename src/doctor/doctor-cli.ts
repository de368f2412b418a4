import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { systemClock } from '../clock.ts';
import { addEnvFile } from '../config/env-file.ts';
import { AppError } from '../errors.ts';
import { readFlags } from '../flags.ts';
import { createTerminal } from '../setup/terminal.ts';
import { runDoctor } from './run.ts';

const usage = {
  text: `Usage: npm run doctor [-- --json] [-- --env FILE] [-- --manifest]

Checks every setting, and everything that the settings lead to: tokens, scopes, servers, roles, permissions, PUBLIC_URL,
the clock, the database, Edgegap. Each line says whether the part is ok, a warning or wrong, and how to mend it.

  --json      prints the findings as JSON
  --env FILE  the file with the settings, .env by default
  --manifest  reads a configuration token of Slack from standard input, and compares the app with the manifest
  --help      this text

Exit code: 0 if all is well, 1 if there are warnings only, 2 if something is wrong.
`,
  options: { json: 'boolean', env: 'string', manifest: 'boolean' },
  schema: z.object({
    json: z.boolean().default(false),
    env: z.string().default('.env'),
    manifest: z.boolean().default(false),
  }),
} as const;

const flags = readFlags(usage);
if (flags) {
  try {
    addEnvFile(flags.env);
  } catch (error) {
    // An unreadable file is ignored here, because the doctor itself reports this file.
    if (!(error instanceof AppError)) throw error;
  }
  process.exitCode = await runDoctor({
    environment: process.env,
    envFile: flags.env,
    commandsFolder: fileURLToPath(new URL('../../commands', import.meta.url)),
    clock: systemClock,
    json: flags.json,
    configurationToken: flags.manifest ? await configurationToken() : undefined,
    print: (text) => process.stdout.write(text),
  });
}

/**
 * The token: typed without an echo at a terminal, or the whole input of a script. Undefined if the person enters no
 * token.
 */
async function configurationToken(): Promise<string | undefined> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).trim() || undefined;
  const terminal = createTerminal({ input: process.stdin, output: process.stderr });
  const question = { key: 'token', text: 'Configuration token (xoxe.xoxp-…)', secret: true };
  try {
    return await terminal.ask(question).catch(() => undefined);
  } finally {
    terminal.close();
  }
}
