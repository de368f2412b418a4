import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { readFlags } from '../flags.ts';
import { runSetup, STEPS } from './run.ts';

const steps = STEPS.join(', ');

const usage = {
  text: `Usage: npm run setup [-- STEP ...] [--env FILE] [--answers FILE] [--http URL]

Asks for the settings, checks each answer, and writes the settings into .env. Without a step, setup asks for the platform
and does everything that a start needs.

  STEP            ${steps}
  --env FILE      the file for the settings, .env by default
  --answers FILE  takes the answers from a file with lines NAME=value, for scripts
  --http URL      for Slack in HTTP mode: the public https address of the bot
  --help          this text
`,
  options: { env: 'string', answers: 'string', http: 'string' },
  words: true,
  schema: z.object({
    env: z.string().default('.env'),
    answers: z.string().optional(),
    http: z.string().optional(),
    words: z.array(z.enum(STEPS, `The steps are ${steps}.`)),
  }),
} as const;

const flags = readFlags(usage);
if (flags)
  process.exitCode = await runSetup({
    terminal: { input: process.stdin, output: process.stdout },
    isTerminal: process.stdin.isTTY === true && process.stdout.isTTY === true,
    answersFile: flags.answers,
    envFile: flags.env,
    steps: flags.words,
    httpUrl: flags.http,
    environment: process.env,
    commandsFolder: fileURLToPath(new URL('../../commands', import.meta.url)),
  });
