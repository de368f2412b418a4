/** `npm run slack:manifest` for Socket Mode; `npm run slack:manifest -- --http https://bot.example.com` for HTTP mode. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadCommands } from '../../command/load.ts';
import { createManifest } from './manifest.ts';

try {
  const { values } = parseArgs({ options: { http: { type: 'string' } } });
  const directory = await loadCommands(fileURLToPath(new URL('../../../commands', import.meta.url)));
  process.stdout.write(`${JSON.stringify(createManifest(directory, values.http), null, 2)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.stderr.write('Usage: npm run slack:manifest [-- --http https://bot.example.com]\n');
  process.exitCode = 1;
}
