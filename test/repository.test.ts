import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse, parseDocument } from 'yaml';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const files = globSync(['.github/**/*.yml', 'compose*.yaml'], { cwd: ROOT });

test.each(files)('the file %s is valid YAML without warnings', (file) => {
  const { errors, warnings } = parseDocument(read(file));
  expect([...errors, ...warnings]).toEqual([]);
});

describe('the release workflow', () => {
  const { jobs, on, permissions } = parse(read('.github/workflows/release.yml'));
  const { steps } = jobs.release;
  const stepWith = (action: string) => steps.find(({ uses }: { uses?: string }) => uses?.startsWith(action));

  test('the release workflow pins each action to a commit', () => {
    const actions = steps.flatMap(({ uses }: { uses?: string }) => uses ?? []);
    expect(actions).toHaveLength(5);
    for (const action of actions) expect(action).toMatch(/@[0-9a-f]{40}$/);
  });

  test('the release workflow runs for tags only, and has write access only to the release and the image', () => {
    expect(Object.keys(on)).toEqual(['push']);
    expect(Object.keys(on.push)).toEqual(['tags']);
    expect(permissions).toEqual({});
    expect(jobs.release.permissions).toEqual({ contents: 'write', packages: 'write' });
  });

  test('the release workflow builds for two processor types, with an SBOM, a provenance and the base image of the Dockerfile', () => {
    const { with: inputs } = stepWith('docker/build-push-action');
    expect(inputs).toMatchObject({
      platforms: 'linux/amd64,linux/arm64',
      sbom: true,
      provenance: 'mode=max',
      'build-args': expect.stringMatching(/^NODE=/),
    });
    const [, base] = /^ARG NODE=(.+)$/m.exec(read('Dockerfile')) ?? [];
    expect(steps.some(({ run = '' }) => run.includes(`base=${base}@$digest`))).toBe(true);
  });
});

describe('release notes', () => {
  const notes = (tag: string) => promisify(execFile)('bash', ['.ci/release-notes', tag], { cwd: ROOT });
  const { version } = JSON.parse(read('package.json'));

  test('the release notes are the section of the version in the changelog', async () => {
    const { stdout } = await notes(`v${version}`);
    expect(stdout.trim()).not.toBe('');
    expect(stdout).not.toMatch(/^## /m);
    expect(read('CHANGELOG.md')).toContain(stdout.trim());
  });

  test('the release notes can be printed only for the version in package.json', async () => {
    await expect(notes('v99.0.0')).rejects.toMatchObject({
      code: 1,
      stderr: 'package.json does not have the version 99.0.0.\n',
    });
  });
});

describe('the Dockerfile', () => {
  const dockerfile = read('Dockerfile');

  test('the start command and the health check in the Dockerfile name programs that the build creates', () => {
    const programs = [...dockerfile.matchAll(/\["node", "(src\/[\w/-]+)\.js"/g)].map(([, name]) => name);
    expect(programs).toEqual(['src/main', 'src/main']);
    expect(read('src/main.ts')).toContain('--check');
  });

  test('the Dockerfile copies only files that .dockerignore does not exclude', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    const allowed = read('.dockerignore').match(/(?<=^!).+/gm);
    expect(copied.toSorted().filter((name, index, all) => all[index + 1] !== name)).toEqual(
      allowed?.toSorted(),
    );
  });
});
