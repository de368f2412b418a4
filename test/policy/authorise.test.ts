import { expect, test } from 'vitest';
import type { Person } from '../../src/chat/port.ts';
import { refusal } from '../../src/command/authorise.ts';
import type { Permission } from '../../src/command/permissions.ts';

const person: Person = { id: 'U1', name: 'Ada', home: true, guest: false, admin: true, groups: ['ops'] };
const policy = {
  readOnly: false,
  rules: { chat: { operators: ['ops'], readers: ['readers'], readersByDefault: 'operators' as const } },
};

test('operators may change deployments, and on a platform without rules only help is allowed', () => {
  expect(refusal(policy, 'chat', person, 'deployments.stop')).toBeUndefined();
  expect(refusal(policy, 'elsewhere', person, 'deployments.read')?.code).toBe('not-permitted');
  expect(refusal(policy, 'elsewhere', person, 'help')).toBeUndefined();
});

test('the policy refuses a command with an unknown permission to everyone', () => {
  expect(refusal(policy, 'chat', person, 'deployments.destroy' as Permission)?.code).toBe('not-permitted');
});

test('an administrator who is a guest does not count as an operator', () => {
  const unset = {
    readOnly: false,
    rules: { chat: { operators: undefined, readers: undefined, readersByDefault: 'members' as const } },
  };
  expect(refusal(unset, 'chat', { ...person, groups: [] }, 'deployments.stop')).toBeUndefined();
  expect(refusal(unset, 'chat', { ...person, guest: true, groups: [] }, 'deployments.read')?.code).toBe(
    'not-permitted',
  );
});

test('a person from outside the workspace cannot use any command, not even help', () => {
  expect(refusal(policy, 'chat', { ...person, home: false }, 'help')?.code).toBe('not-home');
});
