import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, ok, wrong } from '../finding.ts';

const PACKAGE = join(import.meta.dirname, '../../package.json');

/** The versions of the bot and of Node.js. `node` is the version of Node.js that runs this process. */
export function examineVersions(node = process.versions.node): Finding {
  const { version, engines } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as {
    version: string;
    engines: { node: string };
  };
  const needed = Number(/\d+/.exec(engines.node)?.[0]);
  const says = `edgegap-chatops ${version} on Node.js ${node}.`;
  return Number.parseInt(node, 10) >= needed
    ? ok('versions', says)
    : wrong(
        'versions',
        `${says} The bot needs Node.js ${needed} or newer.`,
        'Use npm run, which brings the right version, or the image.',
      );
}
