import type { Clock } from '../clock.ts';
import { loadCommands } from '../command/load.ts';
import type { Finding } from '../finding.ts';
import { createMask } from '../log/mask.ts';
import { createLog } from '../log.ts';
import { type ExamineParts, examine } from './examine.ts';
import { exitCodeOf, reportJson, reportText } from './report.ts';
import { examineSettings } from './settings.ts';

export interface DoctorOptions extends Pick<ExamineParts, 'node' | 'tryFolder' | 'configurationToken'> {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The file with the settings. Undefined if the settings come only from the environment. */
  readonly envFile?: string;
  readonly commandsFolder: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly json: boolean;
  readonly print: (text: string) => void;
}

/** Checks the settings and everything that the settings refer to, and prints the report. Returns the exit code. */
export async function runDoctor(options: DoctorOptions): Promise<number> {
  const { environment, envFile, commandsFolder, clock, json, print, ...rest } = options;
  const settings = await examineSettings(environment, envFile);
  const { config } = settings;
  const log = createLog({ level: 'silent', secrets: config.secrets });
  const directory = await loadCommands(commandsFolder);
  const found = [...settings.findings, ...(await examine({ config, directory, clock, log, ...rest }))];
  // The value of an unknown or wrong setting may also be a secret, and must not appear in the report.
  const { configurationToken = '' } = options;
  const mask = createMask([...secretsIn(environment), configurationToken].filter((secret) => secret !== ''));
  const findings = found.map(
    ({ says, mend, ...one }): Finding => ({
      ...one,
      says: mask(says),
      ...(mend ? { mend: mask(mend) } : {}),
    }),
  );
  print(json ? reportJson(findings) : reportText(findings));
  return exitCodeOf(findings);
}

const SECRET_NAME = /token|secret|password/i;

function secretsIn(environment: DoctorOptions['environment']): string[] {
  return Object.entries(environment).flatMap(([name, value = '']) =>
    SECRET_NAME.test(name) && !name.endsWith('_FILE') && value.length >= 8 ? [value] : [],
  );
}
