import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { galleryPage } from './page.ts';

const folder = join(import.meta.dirname, '..', '..', 'gallery');
const file = join(folder, 'index.html');
mkdirSync(folder, { recursive: true });
writeFileSync(file, await galleryPage());
console.log(`Wrote ${file}. Open the file in a browser.`);
process.exit(0);
