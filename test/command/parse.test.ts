import { expect, expectTypeOf, test } from 'vitest';
import { kinds as allKinds } from '../../src/command/kinds/kinds.ts';
import { type OptionsOf, theDeployment, withKinds } from '../../src/command/options.ts';
import { parseValues } from '../../src/command/parse.ts';
import type { DeploymentTarget } from '../../src/deployments/deployment.ts';
import type { Location } from '../../src/edgegap/schema.ts';
import { InputError } from '../../src/errors.ts';

type Value = string | number | boolean | readonly string[];

const kinds = withKinds(
  {
    text: { kind: 'string', description: 'x', maxLength: 10 },
    integer: { kind: 'integer', min: 1, max: 50, description: 'x' },
    boolean: { kind: 'boolean', description: 'x' },
    choice: { kind: 'choice', choices: ['add', 'remove'], description: 'x' },
    ips: { kind: 'list', of: 'ip', description: 'x' },
    tags: { kind: 'list', of: 'tag', description: 'x' },
    tag: { kind: 'tag', description: 'x' },
    city: { kind: 'location', description: 'x' },
    application: { kind: 'application', description: 'x' },
    deployment: { kind: 'deployment', description: 'x' },
  },
  allKinds,
);
const parse = (kind: string, value: Value) => {
  const spec = kinds[kind];
  if (!spec) throw new Error(`No such kind: ${kind}`);
  return parseValues({ it: value }, 'command', { it: spec }, { maxTagLength: 20 }).it;
};

test.each<[string, Value, unknown]>([
  ['text', '  ab ', 'ab'],
  ['integer', '7', 7],
  ['integer', 50, 50],
  ['boolean', 'Yes', true],
  ['boolean', 'off', false],
  ['boolean', false, false],
  ['choice', 'ADD', 'add'],
  ['ips', '203.0.113.7, 2001:db8::1', ['203.0.113.7', '2001:db8::1']],
  ['ips', '::ffff:8.8.8.8, ::FFFF:808:808, 0:0:0:0:0:ffff:8.8.8.8', ['8.8.8.8']],
  ['ips', '[2001:db8::5], [2001:db8::6]:31504, 2001:DB8:0::7', ['2001:db8::5', '2001:db8::6', '2001:db8::7']],
  ['ips', '8.8.8.8:31504, [::ffff:8.8.4.4]:80, [1.1.1.1]', ['8.8.8.8', '8.8.4.4', '1.1.1.1']],
  ['ips', '2001:db8::5%eth0, [2001:db8::6%25en1]:80', ['2001:db8::5', '2001:db8::6']],
  ['ips', '\u200b 8.8.8.8\u00a0', ['8.8.8.8']],
  ['ips', '８．８．８．８', ['8.8.8.8']],
  ['deployment', '`93924761ccde`', '93924761ccde'],
  ['deployment', '“93924761ccde”', '93924761ccde'],
  ['deployment', '@Last', '@last'],
  ['deployment', '(93924761ccde).', '93924761ccde'],
  ['deployment', '<93924761ccde>,', '93924761ccde'],
  ['deployment', '***`93924761ccde`***', '93924761ccde'],
  ['deployment', '#93924761ccde', '93924761ccde'],
  ['ips', '`8.8.8.8`, (1.1.1.1). **9.9.9.9**', ['8.8.8.8', '1.1.1.1', '9.9.9.9']],
  ['ips', 'udp://8.8.8.8:31504; http://1.1.1.1/ [2001:db8::5]:80', ['8.8.8.8', '1.1.1.1', '2001:db8::5']],
  ['ips', '8.8.8.8/32，1.1.1.1、2001:db8::/128', ['8.8.8.8', '1.1.1.1', '2001:db8::']],
  ['tags', 'qa，beta', ['qa', 'beta']],
  ['choice', '«Add»', 'add'],
  ['ips', ['203.0.113.7', '203.0.113.7,198.51.100.1'], ['203.0.113.7', '198.51.100.1']],
  ['tags', 'qa, qa,beta,', ['qa', 'beta']],
  ['tag', '🏁'.repeat(20), '🏁'.repeat(20)],
  ['tag', '👩‍🚀', '👩‍🚀'],
  ['tag', 'chatops-release', 'chatops-release'],
  ['deployment', '93924761ccde', '93924761ccde'],
  ['deployment', '@last', '@last'],
  ['application', '\ufeffkart-racing\u200b', 'kart-racing'],
  ['deployment', '\u200b93924761ccde\u2060 \u200e', '93924761ccde'],
  [
    'tag',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
  ],
])('an option of kind %s accepts %j', (kind, value, expected) => {
  expect(parse(kind, value)).toEqual(expected);
});

test.each(
  (
    [
      ['text', 'x'.repeat(11), 'value-too-long', /11 characters long; at most 10/],
      ['text', 'a\u0007b', 'value-control', /control character/],
      ['text', 'a\u2028b', 'value-control', /on one line/],
      ['text', 'a\u202eb', 'value-control', /invisible/],
      ['text', 'a\ud800b', 'value-control', /invisible/],
      ['text', '   ', 'value-missing', /without a value/],
      ['text', '\u200b ', 'value-missing', /without a value/],
      ['tags', ' , ', 'value-missing', /without a value/],
      ['integer', '0', 'not-a-number', /from 1 to 50, not “0”/],
      ['integer', 51, 'not-a-number', /from 1 to 50/],
      ['integer', '1.5', 'not-a-number', /whole number/],
      ['integer', '1e1', 'not-a-number', /whole number/],
      ['integer', '9'.repeat(400), 'not-a-number', /whole number/],
      ['boolean', 'maybe', 'not-a-flag', /yes or no/],
      ['choice', 'delete', 'not-a-choice', /add, remove, not “delete”/],
      ['ips', 'localhost', 'not-an-ip', /“localhost” is not an IP.*203\.0\.113\.7/s],
      ['ips', '1.2.3.4.5', 'not-an-ip', /not an IP/],
      ['ips', '203.0.113.7/24', 'not-an-ip', /not an IP/],
      ['ips', '203.0.113.07x', 'not-an-ip', /not an IP/],
      ['ips', 'fe80::1%eth0', 'ip-private', /private/],
      ['ips', '[fe80::1%eth0]:80', 'ip-private', /private/],
      ['ips', '10.0.0.1:80', 'ip-private', /“10\.0\.0\.1:80” is a private address/],
      ['ips', '[::ffff:192.168.1.5]:80', 'ip-private', /private/],
      ['ips', '::ffff:7f00:1', 'ip-private', /private/],
      ['ips', '::ffff:224.0.0.1', 'ip-reserved', /no machine/],
      ['ips', '8.8.8.8:', 'not-an-ip', /not an IP/],
      ['ips', '8.8.8.0/24', 'not-an-ip', /not an IP/],
      ['deployment', '9392-4761', 'not-a-request-id', /not a request_id/],
      ['ips', '[8.8.8.8', 'not-an-ip', /not an IP/],
      ['ips', '8.8.8:80', 'not-an-ip', /not an IP/],
      ['ips', '192.168.1.5', 'ip-private', /private address/],
      ['ips', '203.0.113.7,10.1.2.3', 'ip-private', /“10\.1\.2\.3”/],
      ['ips', '127.0.0.1', 'ip-private', /private/],
      ['ips', '::1', 'ip-private', /private/],
      ['ips', '::ffff:10.0.0.1', 'ip-private', /private/],
      ['ips', 'fd00::1', 'ip-private', /private/],
      ['ips', '224.0.0.1', 'ip-reserved', /address of no machine/],
      ['ips', '255.255.255.255', 'ip-reserved', /no machine.*public/s],
      ['ips', '240.1.2.3', 'ip-reserved', /no machine/],
      ['ips', 'ff02::1', 'ip-reserved', /no machine/],
      ['tag', 'x'.repeat(21), 'tag-too-long', /21 characters; at most 20/],
      ['tag', '🏁'.repeat(21), 'tag-too-long', /21 characters/],
      ['tag', 'chatops-0123456789ab', 'tag-reserved', /for myself/],
      ['tag', 'x'.repeat(3_000), 'tag-too-long', /3000 characters; at most 20/],
      ['tag', 'a\u0000b', 'tag-control', /control/],
      ['tag', '..', 'tag-dots', /cannot be a tag/],
      ['tags', 'ok,chatops-0123456789ab', 'tag-reserved', /for myself/],
      ['tags', 'a\tb', 'tag-control', /control/],
      ['city', 'x'.repeat(10_000), 'value-too-long', /10000 characters long; at most 100/],
      ['application', 'x'.repeat(65), 'value-too-long', /at most 64/],
      ['deployment', '../x', 'not-a-request-id', /“\.\.\/x” is not a request_id.*93924761ccde/s],
      ['deployment', '%2e', 'not-a-request-id', /“%2e”/],
      ['deployment', 'a b', 'not-a-request-id', /letters and digits/],
      ['deployment', '__proto__', 'not-a-request-id', /letters and digits/],
      ['deployment', '🏁', 'not-a-request-id', /“🏁”/],
      ['deployment', 'x'.repeat(65), 'not-a-request-id', /…”/],
      ['deployment', 'x'.repeat(10_000), 'not-a-request-id', /…”/],
    ] as [string, Value, string, RegExp][]
  ).map(([kind, value, code, words]) => ({
    kind,
    value,
    code,
    words,
    title: JSON.stringify(value).slice(0, 40),
  })),
)('an option of kind $kind refuses $title', ({ kind, value, code, words }) => {
  const error = refused(() => parse(kind, value));
  expect(error.code).toBe(code);
  expect(`${error.userMessage}\n${error.hint}`).toMatch(words);
  expect(error.userMessage.length, 'what was given is not repeated at length').toBeLessThan(160);
});

test('if an option is missing, the error names the option and shows the usage', () => {
  const specs = withKinds({ deployment: theDeployment }, allKinds);
  const error = refused(() => parseValues({}, 'stop', specs, { maxTagLength: 20 }));
  expect(error.userMessage).toBe(
    'stop needs a deployment: a request_id, the beginning of a request_id, or an address.',
  );
  expect(error.hint).toBe('Use: `stop <deployment>`');
});

test('an option that does not exist in this version of the command is refused', () => {
  const error = refused(() => parseValues({ close: 'Montreal' }, 'deploy', {}, { maxTagLength: 20 }));
  expect(error.code).toBe('option-stale');
  expect(error.hint).toContain('npm run register');
});

function refused(run: () => unknown): InputError {
  try {
    run();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('It was taken');
}

test('the TypeScript type of each option follows from the kind of the option', () => {
  const base = { description: 'x' } as const;
  const _specs = {
    deployment: theDeployment,
    near: { ...base, kind: 'location' },
    status: { ...base, kind: 'choice', choices: ['ready', 'error'], required: true },
    page: { ...base, kind: 'integer', min: 1, max: 9 },
    all: { ...base, kind: 'boolean' },
    ip: { ...base, kind: 'list', of: 'ip' },
    application: { ...base, kind: 'application' },
  } as const;
  expectTypeOf<OptionsOf<typeof _specs>>().toEqualTypeOf<{
    readonly deployment: DeploymentTarget;
    readonly near: Location | undefined;
    readonly status: 'ready' | 'error';
    readonly page: number | undefined;
    readonly all: boolean | undefined;
    readonly ip: readonly string[] | undefined;
    readonly application: string | undefined;
  }>();
});
