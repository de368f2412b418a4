import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * A Vitest reporter for `.ci/run`: appends one line `FAILED file > test`, with the message below it, for each failure to
 * the file that TALLY names, and at last `N passed, N failed`. A file that cannot be loaded, a hook that throws and an
 * error that nobody caught are failures too, which Vitest's own numbers of tests leave out.
 */
export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    let passed = 0;
    const failures: string[] = [];
    const fail = (file: string, name: string, errors: readonly SerializedError[]) => {
      const said = errors
        .flatMap((error) => [error, error.cause as SerializedError | undefined])
        .flatMap((error) => (error ? [error.stack || error.message] : []))
        .join('\n');
      failures.push(
        `FAILED ${relative(process.cwd(), file)}${name && ` > ${name}`}\n${said.slice(0, 2_000)}`,
      );
    };
    for (const module of modules) {
      if (module.errors().length > 0) fail(module.moduleId, '', module.errors());
      for (const suite of module.children.allSuites())
        if (suite.errors().length > 0) fail(module.moduleId, suite.fullName, suite.errors());
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === 'passed') passed++;
        if (state === 'failed') fail(module.moduleId, `${test.fullName} [${test.project.name}]`, errors);
      }
    }
    for (const error of unhandled) fail(fileOf(error), 'unhandled', [error]);
    const { TALLY } = process.env;
    if (TALLY)
      appendFileSync(TALLY, `${[...failures, `${passed} passed, ${failures.length} failed`].join('\n')}\n`);
  }
}

/** The test file that was running; of a worker that crashed, only the message of the cause names it. */
function fileOf({ VITEST_TEST_PATH, cause }: SerializedError): string {
  const message = (cause as SerializedError | undefined)?.message ?? '';
  return String(VITEST_TEST_PATH ?? /\S+\.test\.ts/.exec(message)?.[0] ?? 'no file known');
}
