import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { galleryPage } from './page.ts';
import { difference, obstacle, openBrowser, type Strip } from './screenshots.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const KEPT = 'test/gallery/pictures';
const README = 'docs/pictures';
/**
 * After a failure, this folder contains the new pictures. With UPDATE_PICTURES=1, the new pictures replace the stored
 * pictures.
 */
const NEW = join(ROOT, 'gallery', 'pictures');
/** The share of pixels that may differ, because different versions of Chromium smooth letters differently. */
const ALLOWED = 0.01;

const strip = (id: string, theme: Strip['theme'], width: Strip['width'], ...samples: string[]): Strip => ({
  id,
  theme,
  width,
  samples,
});

/** Together, the strips show each type of block, each theme and each width at least once. */
const STRIPS: readonly Strip[] = [
  strip('deployment', 'light', 'desktop', 'deploying', 'ready', 'failed', 'ended'),
  strip('deployment', 'dark', 'phone', 'ready'),
  strip('list', 'dark', 'desktop', 'active deployments'),
  strip('list', 'light', 'phone', 'active deployments'),
  strip('bulk', 'light', 'desktop', 'the question', 'over'),
  strip('stop', 'dark', 'desktop', 'the question about a later stop', 'stopping'),
  strip('help', 'light', 'desktop', 'a command with subcommands'),
  strip('help', 'dark', 'phone', 'all topics', 'a topic'),
  strip('planned-stop', 'light', 'phone', 'planned', 'carried out'),
  strip('home', 'dark', 'phone', 'servers and a failure'),
  strip('live', 'light', 'desktop', 'following a log', 'crash report'),
  strip('news', 'dark', 'desktop', 'ready', 'failed'),
  strip('error', 'light', 'phone', 'an unknown command', 'a failure of Edgegap'),
  strip('metrics', 'dark', 'phone', 'the last hour'),
  strip('form', 'light', 'desktop', 'every kind of field'),
  strip(
    'form',
    'dark',
    'desktop',
    'deploy: at first',
    'deploy: many versions',
    'deploy: more is entered, or a mistake is made',
  ),
];

const PICTURES: readonly [file: string, strip: Strip][] = [
  ...STRIPS.map((one): [string, Strip] => [`${KEPT}/${one.id}-${one.theme}-${one.width}.png`, one]),
  [`${README}/discord.png`, { ...strip('deployment', 'dark', 'desktop', 'ready'), platform: 'discord' }],
  [`${README}/slack.png`, { ...strip('deployment', 'light', 'desktop', 'ready'), platform: 'slack' }],
];

const reason = obstacle();
if (reason) console.warn(`No picture of the gallery was compared: ${reason}.`);
const update = process.env.UPDATE_PICTURES === '1';

describe.skipIf(reason)('the pictures of the gallery', () => {
  let folder: string;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  /** Whether this machine has the fonts with which the stored pictures were drawn. */
  let isAlike = true;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gallery-'));
    writeFileSync(join(folder, 'index.html'), await galleryPage());
    browser = await openBrowser(join(folder, 'index.html'));
    const specimen = await browser.specimen();
    const kept = join(ROOT, KEPT, 'specimen.png');
    if (update) writeFileSync(kept, specimen);
    isAlike = (await difference(specimen, readFileSync(kept))) <= ALLOWED;
    if (!isAlike) console.warn('No picture of the gallery was compared: this machine has other fonts.');
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.for(PICTURES)(
    'the picture %s of the gallery looks like the stored picture',
    async ([file, one], { skip }) => {
      skip(!isAlike, 'this machine has other fonts');
      const shot = await browser.shoot(one);
      const kept = join(ROOT, file);
      if (update) writeFileSync(kept, shot);
      const share = existsSync(kept) ? await difference(shot, readFileSync(kept)) : 1;
      if (share > ALLOWED) {
        mkdirSync(NEW, { recursive: true });
        writeFileSync(join(NEW, basename(file)), shot);
      }
      expect(share, 'gallery/pictures holds the new picture; UPDATE_PICTURES=1 keeps it').toBeLessThanOrEqual(
        ALLOWED,
      );
    },
  );
});
