import { describe, expect, test } from 'vitest';
import { createLog, maskSecrets } from '../src/log.ts';

const SECRET = 'hunter2-secret-value';

describe('what looks like a secret is masked', () => {
  test.each([
    `ARBITRIUM_DELETE_TOKEN=${SECRET}`,
    `[boot]   arbitrium_delete_token: ${SECRET}`,
    `{"token":"${SECRET}"}`,
    `{\\"token\\":\\"${SECRET}\\"}`,
    `{"msg":"{\\\\\\"token\\\\\\":\\\\\\"${SECRET}\\\\\\"}"}`,
    `'password': '${SECRET}'`,
    `{"accessToken": "${SECRET}", "next": 1}`,
    `export API_KEY="a ${SECRET}"`,
    `password="a\\"${SECRET}"`,
    `password=p@ss"${SECRET}`,
    `AWS_SECRET_ACCESS_KEY = ${SECRET}`,
    `x-api-key: ${SECRET}`,
    `Authorization: Bearer ${SECRET}`,
    `"Authorization":"token ${SECRET}"`,
    `\\"Authorization\\":\\"Basic ${SECRET}\\"`,
    `X-Auth-Token: Bearer ${SECRET}`,
    `sent with bearer ${SECRET}`,
    `./server -port 7777 -token ${SECRET} -map harbour`,
    `./server --api-key ${SECRET}`,
    `postgres://bot:${SECRET}@db.example/games`,
    `https://example.com/?token=${SECRET}&page=1`,
    `-----BEGIN RSA PRIVATE KEY-----\n${SECRET}\n-----END RSA PRIVATE KEY-----`,
    `-----BEGIN PRIVATE KEY-----\n${SECRET}`,
    `https://bot.example/callbacks/edgegap/ready/abc123.${SECRET}`,
    `https://discord.com/api/v10/interactions/123456789012345678/${SECRET}/callback`,
    `https://discord.com/api/v10/webhooks/123456789012345678/${SECRET}/messages/@original`,
    `https://hooks.slack.com/commands/T1/2/${SECRET}`,
    // Cut off before the quotation mark that closes it.
    `TOKEN="${SECRET}`,
    `TOKEN='${SECRET}`,
  ])('%s', (text) => {
    const masked = maskSecrets(text);
    expect(masked).not.toContain(SECRET);
    expect(masked).toContain('[masked]');
  });

  test.each([
    'xoxb-1000000001-2000000002-abcdef',
    'xapp-1-A0-3000-abcdef',
    'MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N',
    'ghp_abcdefghijklmnopqrstuvwxyz0123456789',
    'AKIAIOSFODNN7EXAMPLE',
    'token 5e1f0c3a-0000-4000-8000-51a0d0e0f00d',
  ])('%s, whatever it is called', (secret) => {
    expect(maskSecrets(`we got ${secret} here`)).toMatch(/^we got (token )?\[masked\] here$/);
  });

  test('the bot’s own secrets are masked by value, wherever they stand', () => {
    expect(maskSecrets('xxplain-valueyy plain-value', ['plain-value'])).toBe('xx[masked]yy [masked]');
    expect(maskSecrets('a short one is a word: edge', ['edge'])).toContain('edge');
  });
});

test.each([
  '2026-03-03T16:02:09Z [net] ada connected, ping 12 ms',
  'Loading token:\nPlayers: 5',
  'token bucket full, dropping',
  'listening on 0.0.0.0:7777 (UDP, gameport)',
  'http://a.example:8080/x@y',
  '  at Server.Main (main.cs:12)',
])('an ordinary line is left alone: %s', (line) => {
  expect(maskSecrets(line)).toBe(line);
});

test('what follows a secret is still there', () => {
  expect(maskSecrets('{"token":"abc","map":"harbour"}')).toBe('{"token":[masked],"map":"harbour"}');
  expect(maskSecrets('PASSWORD=abc, MAP=harbour\nnext')).toBe('PASSWORD=[masked], MAP=harbour\nnext');
});

describe('our own lines', () => {
  const line = (write: (log: ReturnType<typeof createLog>) => void) => {
    const lines: string[] = [];
    write(
      createLog({
        level: 'info',
        secrets: ['by-value'],
        destination: { write: (text) => void lines.push(text) },
      }),
    );
    return lines.join('');
  };

  test('hold no secret by key, at whatever depth', () => {
    const text = line((log) =>
      log.info(
        { a: { b: [{ token: 'secret-1', botToken: 'secret-2' }] }, headers: { authorization: 'secret-3' } },
        'static',
      ),
    );
    expect(text).not.toMatch(/secret-\d/);
    expect(JSON.parse(text).a.b[0].token).toBe('[masked]');
  });

  test('hold no secret by value, in an error or its message, and stay JSON', () => {
    const error = Object.assign(new Error('GET https://x/callbacks/edgegap/ready/1.secret-4 by-value'), {
      requestBody: { json: 'secret-5' },
      url: 'https://discord.com/api/v10/interactions/123456789012345678/secret-token-6/callback',
    });
    const text = line((log) => log.error({ err: error }, 'it failed with by-value'));
    expect(text).not.toMatch(/secret-\d|secret-token|by-value/);
    expect(JSON.parse(text)).toMatchObject({ level: 'error', msg: 'it failed with [masked]' });
  });
});
