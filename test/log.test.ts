import { describe, expect, test } from 'vitest';
import { createLog, maskSecrets } from '../src/log.ts';

const SECRET = 'hunter2-secret-value';

describe('masking of secrets', () => {
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
    // This text ends before its closing quotation mark.
    `TOKEN="${SECRET}`,
    `TOKEN='${SECRET}`,
    // Environment variables in the form in which many programs print them.
    `ARBITRIUM_DELETE_TOKEN => ${SECRET}`,
    `ARBITRIUM_DELETE_TOKEN -> ${SECRET}`,
    `ARBITRIUM_DELETE_TOKEN := ${SECRET}`,
    `ARBITRIUM_DELETE_TOKEN   ${SECRET}`,
    `| ARBITRIUM_DELETE_TOKEN | ${SECRET} |`,
    `│ DB_PASS                │ two words ${SECRET} │`,
    `('ARBITRIUM_DELETE_TOKEN', '${SECRET}')`,
    `<ARBITRIUM_DELETE_TOKEN>${SECRET}</ARBITRIUM_DELETE_TOKEN>`,
    `{"key":"ARBITRIUM_DELETE_TOKEN","value":"${SECRET}","is_hidden":true}`,
    `{"value":"${SECRET}","is_hidden":true,"key":"ARBITRIUM_DELETE_TOKEN"}`,
    `{\\"key\\":\\"ARBITRIUM_DELETE_TOKEN\\",\\"value\\":\\"${SECRET}\\"}`,
    `{"name": "DB_PASS", "value": "${SECRET}"}`,
    `- name: REDIS_AUTH, value: ${SECRET}`,
    `value: ${SECRET}, name: REDIS_AUTH`,
    `key: ARBITRIUM_DELETE_TOKEN\nvalue: ${SECRET}`,
    `  "key": "ARBITRIUM_DELETE_TOKEN",\n  "value": "${SECRET}"`,
    `  "value": "${SECRET}",\n  "key": "ARBITRIUM_DELETE_TOKEN"`,
    `DB_PASS=${SECRET}`,
    `MYSQL_PWD=${SECRET}`,
    `REDIS_AUTH=${SECRET}`,
    `REDIS_AUTH: "${SECRET}"`,
    `db_pass=${SECRET}`,
    `mysql_pwd: ${SECRET}`,
    `redis_auth=${SECRET}`,
    `{"user":"bot","pass":"${SECRET}"}`,
    `pwd: ${SECRET}`,
    `user: bot, pwd: "${SECRET}"`,
    `Server=db;Uid=bot;Pwd=${SECRET};`,
    `Cookie: session=${SECRET}; theme=dark`,
    // Addresses that give access to everyone who has the address.
    `https://b.s3.amazonaws.com/x.log?X-Amz-Date=1&X-Amz-Signature=${SECRET}`,
    `https://b.storage.googleapis.com/x.log?X-Goog-Signature=${SECRET}&a=b`,
    `https://b.blob.core.windows.net/x.log?sp=r&sig=${SECRET}`,
    `{"url":"https://b.example/x.log?sp=r\\u0026sig=${SECRET}"}`,
    `AWS4-HMAC-SHA256 SignedHeaders=host, Signature=${SECRET}`,
  ])('the secret in "%s" is masked', (text) => {
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
    'github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz',
    'AKIAIOSFODNN7EXAMPLE',
    'AIzaSyA1234567890abcdefghijklmnopqrstuv',
    'sk-proj-abcdef_ghijklmnopqrstuvwxyz0123456789',
    'sk-abcdefghijklmnopqrstuvwxyz0123456789',
    'npm_abcdefghijklmnopqrstuvwxyz0123456789',
    'hf_abcdefghijklmnopqrstuvwxyzABCDEFGH',
    'token 5e1f0c3a-0000-4000-8000-51a0d0e0f00d',
    'token is 5e1f0c3a-0000-4000-8000-51a0d0e0f00d',
  ])('the secret %s is recognised by its form and masked, regardless of its name', (secret) => {
    expect(maskSecrets(`we got ${secret} here`)).toMatch(/^we got (token (?:is )?)?\[masked\] here$/);
  });

  test("the bot's own secrets are masked wherever their values appear in a text", () => {
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
  'pass: 3 of 5',
  'shadow_pass: 3.2 ms, depth_pass=2',
  'tests_pass=true',
  'author=me',
  'signal=9',
  'exited, sig=11',
  'auth ok',
  'steam_auth=ok steam_auth: accepted',
  'PWD=/app',
  'PWD: /app',
  'pwd: C:\\game',
  'pwd: command not found',
  'loading sk-SK_localization_table_v2',
  'sk-learn-model-version-2024-01-long',
  'hf_transferenginebuildversion',
  'task-0123456789-abcdefghijklmnop sk-learn',
  'bypass=true compass=3 passed: 7',
  'ARBITRIUM_DELETE_TOKEN is not set',
  'cookies: enabled',
  'design=flat assign=1',
  '{"key":"MAP","value":"harbour"}, {"key":"MODE","value":"race"}',
  'key: MAP\nvalue: harbour',
  'https://example.com/x?page=2&sort=name',
])('nothing is masked in the ordinary line "%s"', (line) => {
  expect(maskSecrets(line)).toBe(line);
});

test('masking a secret keeps the text after the secret', () => {
  expect(maskSecrets('[{"key":"API_TOKEN","value":"abc"},{"key":"MAP","value":"harbour"}]')).toBe(
    '[{"key":"API_TOKEN","value":[masked]},{"key":"MAP","value":"harbour"}]',
  );
  expect(maskSecrets('| API_TOKEN | abc | hidden |')).toBe('| API_TOKEN | [masked] | hidden |');
  expect(maskSecrets('https://a.example/?sig=abc&page=2 next')).toBe(
    'https://a.example/?sig=[masked]&page=2 next',
  );
  expect(maskSecrets('{"token":"abc","map":"harbour"}')).toBe('{"token":[masked],"map":"harbour"}');
  expect(maskSecrets('PASSWORD=abc, MAP=harbour\nnext')).toBe('PASSWORD=[masked], MAP=harbour\nnext');
});

describe('masking of a private key', () => {
  const body = Array.from(
    { length: 26 },
    (_, n) => `${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC'.repeat(2).slice(n % 8)}`,
  );
  const begin = '-----BEGIN PRIVATE KEY-----';
  const end = '-----END PRIVATE KEY-----';
  const gone = (...lines: string[]) => expect(maskSecrets(lines.join('\n'))).not.toMatch(/MIIE|HkiG|QEFA/i);

  test('a private key is masked line by line, and the text around the key is kept', () => {
    expect(maskSecrets(`a\n${begin}\nabc\n${end}\nb`)).toBe('a\n[masked]\n[masked]\n[masked]\nb');
    expect(maskSecrets(`{"key":"${begin}\\nabc\\n${end}\\n","map":"harbour"}`)).toBe(
      '{"key":"[masked]\\n","map":"harbour"}',
    );
    gone(begin, ...body, end);
    gone(...[begin, ...body, end].map((line) => `2026-03-03T16:02:09Z [boot] ${line}`));
  });

  test('if a private key has no end line, only a limited number of lines is masked', () => {
    gone('before', begin, ...body);
    gone(...Array.from({ length: 20 }, () => [begin, ...body]).flat());
    const after = Array.from({ length: 300 }, (_, n) => `line ${n}`);
    expect(maskSecrets([begin, ...body, ...after].join('\n'))).toContain('line 299');
  });

  test('if the first line of a private key is missing, exactly the rest of the key is masked', () => {
    gone(...body, 'ab==', end);
    expect(maskSecrets(['ada connected', 'map harbour', ...body, 'ab==', end, 'after'].join('\n'))).toMatch(
      /^ada connected\nmap harbour\n(\[masked\]\n){28}after$/,
    );
  });
});

describe('masking of a very long line', () => {
  const LONG = 8 * 1024 * 1024;

  test('a very long line of a log is cut at the start, and the line says so', () => {
    const masked = maskSecrets(`first\n${'word '.repeat(LONG / 5)}end\nlast`);
    expect(masked).toMatch(/^first\n\[… \d+ characters left out\] [word ]+ end\nlast$/);
    expect(masked.length).toBeLessThan(20_000);
  });

  test.each([
    ['a quoted secret', `{"token":"${'ab+/'.repeat(LONG / 4)}"} end`],
    ['a bare secret', `token=${'ab+/'.repeat(LONG / 4)} end`],
    ['a secret full of escapes', `{"token":"${'\\\\'.repeat(LONG / 2)}ab+/"} end`],
    ['a private key on a single line', `-----BEGIN PRIVATE KEY-----${'ab+/'.repeat(LONG / 4)} end`],
  ])(
    'if a log line is cut inside a secret that is longer than the rest of the line, the secret is masked: %s',
    (_, line) => {
      expect(maskSecrets(line)).not.toContain('ab+');
    },
  );

  test.each([16_000, 17_000, 30_000, 32_700, 32_760, 33_000, 40_000])(
    'if a line is cut in the middle of a secret, %i characters before the end, the secret is masked',
    (before) => {
      const text = `${'a '.repeat(LONG / 2)}token="${SECRET} ${SECRET}${SECRET}" ${'b '.repeat(before / 2)}end`;
      expect(maskSecrets(text)).not.toMatch(/hunter2|secret-value/);
    },
  );

  test('cutting a long line of a log never splits a character', () => {
    expect(maskSecrets(`a ${'🏎'.repeat(8_190)}b${'🏎'.repeat(8_190)}`).isWellFormed()).toBe(true);
  });
});

describe("the bot's own log lines", () => {
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

  test("in a log line of the bot, each value under a secret's name is masked, at any depth", () => {
    const text = line((log) =>
      log.info(
        { a: { b: [{ token: 'secret-1', botToken: 'secret-2' }] }, headers: { authorization: 'secret-3' } },
        'static',
      ),
    );
    expect(text).not.toMatch(/secret-\d/);
    expect(JSON.parse(text).a.b[0].token).toBe('[masked]');
  });

  test('a log line of the bot contains no known secret, not even in an error, and stays valid JSON', () => {
    const error = Object.assign(new Error('GET https://x/callbacks/edgegap/ready/1.secret-4 by-value'), {
      requestBody: { json: 'secret-5' },
      url: 'https://discord.com/api/v10/interactions/123456789012345678/secret-token-6/callback',
    });
    const text = line((log) => log.error({ err: error }, 'it failed with by-value'));
    expect(text).not.toMatch(/secret-\d|secret-token|by-value/);
    expect(JSON.parse(text)).toMatchObject({ level: 'error', msg: 'it failed with [masked]' });
  });
});
