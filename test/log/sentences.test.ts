import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { refusalError, type Subject } from '../../src/edgegap/refusals.ts';
import { ConfigError } from '../../src/errors.ts';
import { maskSecrets } from '../../src/log.ts';

const ROOT = join(import.meta.dirname, '../..');
const SUBJECTS: readonly Subject[] = ['deploy', 'deployment', 'log', 'tag', 'application', 'account'];
const STATUSES = [302, 303, 400, 401, 403, 404, 409, 410, 418, 422, 429, 500, 503];

/** Every string in the source code that contains a space. These strings include all texts for people. */
function sentences(): string[] {
  const files = ['src', 'commands']
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
        join(folder, file),
      ),
    )
    // Regular expressions are not sentences, and the Edgegap simulator prints secrets on purpose.
    .filter((file) => file.endsWith('.ts') && !/^src\/(?:log|simulator)\//.test(file));
  return files.flatMap((file) => {
    const code = readFileSync(join(ROOT, file), 'utf8').replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
    return [...code.matchAll(/'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g)]
      .map(([, quoted, template]) => quoted ?? (template ?? '').replace(/\$\{[^{}]*\}/g, 'kart-racing'))
      .filter((text) => /[a-z’] [a-z]/i.test(text) && !text.includes('${'));
  });
}

describe("masking and the bot's own sentences", () => {
  test('masking changes no sentence in the source code of the bot', () => {
    const all = sentences();
    expect(all.length).toBeGreaterThan(400);
    expect(all.filter((text) => maskSecrets(text) !== text)).toEqual([]);
  });

  test('masking changes no sentence of the bot about a refusal by Edgegap', () => {
    for (const subject of SUBJECTS)
      for (const status of STATUSES) {
        const { userMessage, hint = '' } = refusalError({ method: 'POST', path: '/x', subject, status });
        expect(maskSecrets(`${userMessage} ${hint}`)).toBe(`${userMessage} ${hint}`);
      }
  });

  test('masking changes no sentence of the bot about a wrong setting', () => {
    const wrong = {
      EDGEGAP_API_TOKEN: '',
      EDGEGAP_API_URL: 'x',
      DISCORD_TOKEN: 'x',
      SLACK_BOT_TOKEN: 'x',
      SLACK_APP_TOKEN: 'x',
      SLACK_SIGNING_SECRET: 'x',
      DATABASE_URL: 'mysql://x',
      PORT: 'x',
      PUBLIC_URL: 'x',
      LOG_LEVEL: 'x',
      KEEP_DAYS: 'x',
    };
    try {
      readConfig(wrong);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(error.problems.length).toBeGreaterThan(5);
      expect(maskSecrets(error.userMessage)).toBe(error.userMessage);
    }
  });
});
