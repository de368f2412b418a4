import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { commandsPage } from '../docs/commands-table.ts';
import { SECRETS } from '../src/config/secret-files.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

describe('the documented settings', () => {
  /** The names of the settings. They are the keys of the only schema that reads the environment. */
  const settings = names(/^ +([A-Z][A-Z0-9_]+): /gm, read('src/config.ts'));

  test('the documentation tests find the names of the settings in src/config.ts', () => {
    expect(settings).toEqual(expect.arrayContaining(['EDGEGAP_API_TOKEN', 'DISCORD_GUILDS', 'LOG_LEVEL']));
  });

  test('.env.example contains every setting and no other setting', () => {
    expect(names(/^(?:# )?([A-Z][A-Z0-9_]+)=/gm, read('.env.example'))).toEqual(settings);
  });

  test('.env.example describes each setting', () => {
    const lines = read('.env.example').split('\n');
    const bare = lines.filter(
      (line, index) => /^(# )?[A-Z][A-Z0-9_]+=/.test(line) && !/^# [^-]/.test(lines[index - 1] ?? ''),
    );
    expect(bare).toEqual([]);
  });

  test('docs/configuration.md contains every setting and no other setting', () => {
    expect(names(/^\| `([A-Z][A-Z0-9_]+)` \|/gm, read('docs/configuration.md'))).toEqual(settings);
  });

  test('the example values in .env.example are accepted', async () => {
    const { readConfig } = await import('../src/config.ts');
    const shown = [...read('.env.example').matchAll(/^# ([A-Z][A-Z0-9_]+)=(.+)$/gm)];
    expect(shown.length).toBeGreaterThan(5);
    expect(() => readConfig(Object.fromEntries(shown.map(([, name, value]) => [name, value])))).not.toThrow();
  });

  test('compose.yaml does not override settings from .env', () => {
    const { bot } = parse(read('compose.yaml')).services;
    expect(bot.env_file).toBe('.env');
    // Compose must not pass on the environment of the shell, because it may contain settings of a different program.
    expect(bot).not.toHaveProperty('environment');
  });

  test('every setting that the documentation names exists', () => {
    const prefixed = /\b(?:EDGEGAP|DISCORD|SLACK)_[A-Z_]*[A-Z]\b/g;
    for (const page of pages) {
      const unknown = [...read(page).matchAll(prefixed)]
        .map(([name]) => name)
        .filter((name) => ![...settings, ...SECRETS.map((secret) => `${secret}_FILE`)].includes(name));
      expect(unknown, page).toEqual([]);
    }
  });
});

describe('docs/commands.md', () => {
  test('docs/commands.md matches the texts of the commands (to update the page: npm run docs)', async () => {
    const { is, shouldBe } = await commandsPage();
    expect(is).toBe(shouldBe);
  });
});

describe.each(pages)('the page %s', (page) => {
  const text = read(page);

  test('a page of the documentation links only to files and headings that exist', () => {
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => !resolves(page, target));
    expect(broken).toEqual([]);
  });

  test('a page of the documentation names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name]) => name);
    expect(named.filter((name) => name !== undefined && !(name in scripts))).toEqual([]);
  });

  test('a page of the documentation names only files that exist in this repository', () => {
    const named = [...text.matchAll(/`((?:src|commands|test|docs|bench|\.ci|\.github)\/[\w./-]+)`/g)].map(
      ([, name = '']) => name,
    );
    expect(named.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });
});

function names(pattern: RegExp, text: string): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))].toSorted();
}

function resolves(page: string, target: string): boolean {
  const [path = '', heading] = target.split('#', 2);
  const file = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
  if (!existsSync(join(ROOT, file))) return false;
  return heading === undefined || headingsOf(read(file)).includes(heading);
}

/** The anchors that GitHub makes from headings. */
function headingsOf(markdown: string): string[] {
  const withoutCode = markdown.replace(/^```[\s\S]*?^```/gm, '');
  return [...withoutCode.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}
