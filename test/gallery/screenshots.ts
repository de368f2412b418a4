import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { Platform } from './samples.ts';

const { resolve } = createRequire(import.meta.url);
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));
const WIDTH = 1440;
const SPECIMEN =
  '<div id="specimen" style="width:360px;font:16px sans-serif">Ready 0123 Łódź 日本 🟢✅▲↳ · <code>4a370e51</code></div>';

/** How a strip of the page is drawn. */
export interface Strip {
  /** The id of the group's section. */
  readonly id: string;
  readonly theme: 'light' | 'dark';
  readonly width: 'desktop' | 'phone';
  /** The samples of the group that the strip shows. */
  readonly samples: readonly string[];
  /**
   * Set if the strip shows only the drawing of this platform, without the name of the sample. The strip must have a
   * single sample.
   */
  readonly platform?: Platform;
}

interface Page {
  goto(url: string): Promise<unknown>;
  evaluate(code: string): Promise<unknown>;
  locator(selector: string): { screenshot(): Promise<Buffer> };
}
interface Browser {
  newPage(options: object): Promise<Page>;
  close(): Promise<void>;
}
interface Playwright {
  readonly chromium: { launch(options: object): Promise<Browser> };
}

/** The reason why no screenshot can be taken here. Undefined if screenshots can be taken. */
export function obstacle(): string | undefined {
  if (!CHROMIUM) return 'Chromium is not installed (Debian: apt-get install chromium)';
  const missing = ['playwright-core', '@fontsource/jetbrains-mono/package.json'].find(
    (name) => !isThere(name),
  );
  return missing && `the package of ${missing} is not installed`;
}

function isThere(name: string): boolean {
  try {
    return resolve(name) !== '';
  } catch {
    return false;
  }
}

/** Opens the page of this file in headless Chromium, and takes screenshots of strips. */
export async function openBrowser(file: string) {
  const { chromium } = createRequire(import.meta.url)('playwright-core') as Playwright;
  // Chromium's sandbox does not work for root, who runs the tests in containers.
  const args = ['--no-sandbox', '--font-render-hinting=none', '--disable-lcd-text'];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args });
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 } });
  await page.goto(`file://${file}`);
  return {
    async shoot(strip: Strip): Promise<Buffer> {
      await page.evaluate(`show(${JSON.stringify(strip)})`);
      const drawing = strip.platform ? ` article:not([hidden]) figure.${strip.platform}` : '';
      return await page.locator(`#${strip.id}${drawing}`).screenshot();
    },
    /** Letters, signs and emoji. A machine with other fonts draws this picture in another way. */
    async specimen(): Promise<Buffer> {
      await page.evaluate(`document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(SPECIMEN)})`);
      return await page.locator('#specimen').screenshot();
    },
    close: () => browser.close(),
  };
}

/**
 * A pixel differs if one of its colours (0 to 255) differs by more than this. Other machines smooth fonts a little
 * differently.
 */
const TOLERANCE = 48;

/** The share of pixels that differ between two PNGs. Pictures of different sizes differ in every pixel. */
export async function difference(one: Buffer, other: Buffer): Promise<number> {
  const [a, b] = await Promise.all([pixels(one), pixels(other)]);
  if (a.width !== b.width || a.height !== b.height) return 1;
  let different = 0;
  for (let i = 0; i < a.data.length; i += 4)
    if ([0, 1, 2].some((c) => Math.abs((a.data[i + c] ?? 0) - (b.data[i + c] ?? 0)) > TOLERANCE)) different++;
  return different / (a.width * a.height);
}

async function pixels(png: Buffer) {
  const image = await loadImage(png);
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height);
}
