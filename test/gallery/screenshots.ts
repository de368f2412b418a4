import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { Platform } from './samples.ts';

const { resolve } = createRequire(import.meta.url);
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));
const WIDTH = 1440;
const SPECIMEN =
  '<div id="specimen" style="width:360px;font:16px sans-serif">Ready 0123 Łódź 日本 🟢✅▲↳ · <code>4a370e51</code></div>';

/** The settings with which a strip of the page is drawn. */
export interface Strip {
  /** The id of the section for the group. */
  readonly id: string;
  readonly theme: 'light' | 'dark';
  readonly width: 'desktop' | 'phone';
  /** The samples of the group that the strip shows. */
  readonly samples: readonly string[];
  /**
   * If set, the strip shows only the drawing for this platform, without the name of the sample. The strip must then
   * have only one sample.
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

/** The reason why screenshots are impossible here. Undefined if they are possible. */
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

/** Opens this HTML file in headless Chromium. The result takes screenshots of strips. */
export async function openBrowser(file: string) {
  const { chromium } = createRequire(import.meta.url)('playwright-core') as Playwright;
  // Chromium's sandbox does not work for root, and in containers the tests run as root.
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
    /** A picture of letters, symbols and emoji. It looks different on a machine with different fonts. */
    async specimen(): Promise<Buffer> {
      await page.evaluate(`document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(SPECIMEN)})`);
      return await page.locator('#specimen').screenshot();
    },
    close: () => browser.close(),
  };
}

/**
 * Two pixels differ if one of their colour values (0 to 255) differs by more than this number. Other machines smooth
 * fonts a little differently.
 */
const TOLERANCE = 48;

/** The share of pixels that differ between two PNGs. If the sizes differ, every pixel counts as different. */
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
