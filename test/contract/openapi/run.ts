import { routes } from '../../../src/simulator/router.ts';
import { Contract } from './contract.ts';
import { readDocument, UnusableFile } from './document.ts';
import { UNCHECKED } from './exceptions.ts';
import { Report } from './report.ts';
import { driveClient } from './scenario-client.ts';
import { driveRefusals } from './scenario-refusals.ts';
import type { Run } from './stage.ts';

const USAGE = 'Usage: npm run contract -- V1.yaml V2.yaml   (the two OpenAPI files that Edgegap publishes)';

/**
 * Compares the simulator and the bot's client with the vendor's OpenAPI files. The exit code is 0 for success, 1 for a
 * difference, and 2 for wrong arguments.
 */
async function main(files: readonly string[]): Promise<number> {
  if (files.length !== 2) {
    console.error(`Two files are needed, ${files.length} given.\n${USAGE}`);
    return 2;
  }
  let contract: Contract;
  try {
    contract = new Contract(await Promise.all(files.map(readDocument)));
  } catch (error) {
    if (!(error instanceof UnusableFile)) throw error;
    console.error(`${error.message}.\n${USAGE}`);
    return 2;
  }
  const run: Run = { contract, report: new Report(), seen: new Map(), endpoints: new Set() };
  await driveClient(run);
  await driveRefusals(run);
  checkCoverage(run);
  for (const [subject, why] of UNCHECKED) run.report.outside('not checked', subject, why);
  console.log(run.report.print());
  return run.report.failed > 0 ? 1 : 0;
}

/**
 * Checks that the run used every endpoint of the simulator, and saw every status that the files declare for an
 * endpoint.
 */
function checkCoverage({ contract, report, seen, endpoints }: Run): void {
  const unseen = routes.filter(({ endpoint }) => !endpoints.has(endpoint));
  report.check(
    'coverage',
    'every route of the simulator',
    unseen.map(({ method, path }) => `${method} ${path} was not asked`),
  );
  for (const [operation, statuses] of seen) {
    const declared = contract.statuses(operation);
    const missing = declared.filter((status) => !statuses.has(status));
    report.check(
      'coverage',
      `${operation.method} ${operation.path} ${declared.join(' ')}`,
      missing.map((status) => `${status} is declared and was not seen`),
    );
  }
}

process.exitCode = await main(process.argv.slice(2));
