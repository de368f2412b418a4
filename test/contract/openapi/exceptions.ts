import type { Operation } from './document.ts';

interface KnownException {
  readonly method: string;
  readonly path: RegExp;
  readonly finding: string;
  readonly why: string;
}

/** The fields that the bot's client sends although the vendor's files do not declare them. */
const EXCEPTIONS: readonly KnownException[] = [
  {
    method: 'GET',
    path: /^\/v1\/app\/\{\w+\}\/versions$/,
    finding: 'query parameter page is not declared',
    why: 'the answer declares pages and the request no way to ask for one; the first is asked for without it',
  },
  {
    method: 'GET',
    path: /^\/v2\/private-fleets\/\{[\w-]+\}\/hosts$/,
    finding: 'query parameter page is not declared',
    why: 'the answer declares pages and the request no way to ask for one; the first is asked for without it',
  },
  ...['type', 'tags'].map((name) => ({
    method: 'GET',
    path: /^\/v1\/locations$/,
    finding: `query parameter ${name} is not declared`,
    why: 'the API reference has it',
  })),
];

/** The reason why a finding is not a fault of the bot or the simulator. Undefined if the finding is a fault. */
export function knownException({ method, path }: Operation, finding: string): string | undefined {
  return EXCEPTIONS.find((one) => one.method === method && one.path.test(path) && one.finding === finding)
    ?.why;
}

/** The simulator's faults that an OpenAPI file cannot declare. Other tests cover these faults. */
export const UNCHECKED: readonly (readonly [string, string])[] = [
  ['an answer that stops in the middle', 'injected fault: broken-json'],
  ['a connection reset, before or after the request took effect', 'injected fault: reset'],
  ['an answer that is slow', 'injected fault: slow'],
  [
    'callbacks dropped, doubled, late, reordered or unreadable',
    'injected faults; the files declare no callbacks',
  ],
  [
    'whitelisting_active, sockets, sessions, nulls, `count` in the tag list, `type` and `tags` of a location',
    'the API reference shows them, the files do not; only with dialect: reference',
  ],
];
