import type { Operation } from './document.ts';

interface KnownException {
  readonly method: string;
  readonly path: RegExp;
  readonly finding: string;
  readonly why: string;
}

/** What our client sends although the files do not declare it. */
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

/** Why a finding is no fault of ours; nothing when it is one. */
export function knownException({ method, path }: Operation, finding: string): string | undefined {
  return EXCEPTIONS.find((one) => one.method === method && one.path.test(path) && one.finding === finding)
    ?.why;
}

/** What the stand-in can do to a request or a callback that no file could declare; shown in its own tests. */
export const UNCHECKED: readonly (readonly [string, string])[] = [
  ['an answer that stops in the middle', 'injected fault: broken-json'],
  ['a connection reset, before or after the request took effect', 'injected fault: reset'],
  ['an answer that is slow', 'injected fault: slow'],
  [
    'callbacks dropped, doubled, late, reordered or unreadable',
    'injected faults; the files declare no callbacks',
  ],
  [
    'whitelisting_active, sockets, sessions, nulls, and `count` in the tag list',
    'the API reference shows them, the files do not; only with dialect: reference',
  ],
];
