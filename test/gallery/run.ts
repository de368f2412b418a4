import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { addEnvFile } from '../../src/config/env-file.ts';
import { readFlags } from '../../src/flags.ts';
import { galleryPage } from './page.ts';
import { samplesFor } from './samples.ts';
import { validate } from './validate.ts';

const usage = {
  text: `Usage: npm run gallery [-- --validate]

Writes gallery/index.html, which shows every card, list and form in every state.

  --validate  lets Slack check the payload of every sample (blocks.validate) with SLACK_BOT_TOKEN, and writes no page
  --help      this text
`,
  options: { validate: 'boolean' },
  schema: z.object({ validate: z.boolean().default(false) }),
} as const;

const flags = readFlags(usage);
if (flags?.validate) process.exit(await validateAll());
if (flags) {
  const folder = join(import.meta.dirname, '..', '..', 'gallery');
  const file = join(folder, 'index.html');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, await galleryPage());
  console.log(`Wrote ${file}. Open the file in a browser.`);
  process.exit(0);
}

async function validateAll(): Promise<number> {
  addEnvFile();
  const { SLACK_BOT_TOKEN: token, SLACK_API_URL: apiUrl } = process.env;
  if (!token) {
    console.error('SLACK_BOT_TOKEN is not set.');
    return 2;
  }
  const samples = await samplesFor('slack');
  const refused = await validate(samples, { token, apiUrl, print: (line) => console.log(line) });
  console.log(`Slack refuses ${refused} of ${samples.length} samples.`);
  return refused === 0 ? 0 : 1;
}
