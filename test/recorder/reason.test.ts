import { expect, test } from 'vitest';
import { exitCodeIn, reasonOf, sortOf } from '../../src/recorder/reason.ts';

test.each([
  [{ detail: 'The image could not be pulled: manifest unknown' }, /image cannot be pulled/],
  [{ detail: 'Failed to pull image "registry.example.com/kart:v9": unauthorized' }, /image cannot be pulled/],
  [{ detail: 'No edge server has room for this server' }, /No place had room/],
  [{ detail: 'Insufficient capacity in the requested locations' }, /No place had room/],
  [{ detail: 'Maximum duration exceeded' }, /ended by its own time/],
  [{ detail: 'The container exited with code 1' }, /ended with an error of its own/],
  [{ detail: 'Container crashed', exitCode: 143 }, /asked to end from outside/],
  [{ detail: 'Container crashed', exitCode: 139 }, /segmentation fault/],
  [{ detail: 'Container crashed', exitCode: 137 }, /killed, usually because/],
  [{ detail: 'Container crashed', exitCode: 137, memoryShare: 0.97 }, /ran out of memory\. Give/],
  [{ detail: 'Container crashed', exitCode: 137, message: 'OOMKilled' }, /ran out of memory\. Give/],
  [{ detail: 'mmap: cannot allocate memory' }, /ran out of memory\. Give/],
])('the reason for the failure %o is given in plain words', (failure, words) => {
  expect(reasonOf(failure)).toMatch(words);
});

test.each(['the game crashed', '', undefined, 'a room with no view', 'zoom level 3'])(
  'if Edgegap describes a failure as %o, the bot does not add a reason',
  (detail) => {
    expect(reasonOf({ detail })).toBeUndefined();
  },
);

test('the exit code of a failed server is taken from Edgegap’s message', () => {
  expect(exitCodeIn('The container exited with code 139: segmentation fault')).toBe(139);
  expect(exitCodeIn('Exit status: 2')).toBe(2);
  expect(exitCodeIn('exit at 14:03')).toBeUndefined();
});

test('two failures count as the same kind if only numbers or ids differ, but different exit codes mean different kinds', () => {
  expect(sortOf('Lost host 10.0.0.7 of 93924761ccde')).toBe(sortOf('Lost host 10.9.1.2 of 0123456789ab'));
  expect(sortOf('exited with code 1')).not.toBe(sortOf('exited with code 139'));
  expect(sortOf('exited with code 41')).not.toBe(sortOf('exited with code 42'));
  expect(sortOf(undefined)).toBe(sortOf(undefined));
});
