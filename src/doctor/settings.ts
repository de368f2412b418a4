import { readFile, stat } from 'node:fs/promises';
import { distance } from 'fastest-levenshtein';
import { type EnvFileProblem, readEnvFile } from '../config/env-file.ts';
import { type Config, readConfig, SETTING_NAMES } from '../config.ts';
import { ConfigError } from '../errors.ts';
import { type Finding, ok, someOf, warning, wrong } from '../finding.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Maximum number of times that the settings are read. Each time, the wrong settings are left out, and further problems
 * may appear.
 */
const ROUNDS = 8;
const OTHERS = 0o077;
/** Maximum share of wrong letters in a misspelt name. */
const NEAR = 0.4;
const SEE = 'docs/configuration.md explains every setting.';

export interface SettingsReport {
  readonly findings: readonly Finding[];
  /** The settings that the further checks use. Wrong settings are left out. */
  readonly config: Config;
}

/**
 * Checks the settings and their file. `file` is the path of this file. `file` is undefined if the settings come only
 * from the environment.
 */
export async function examineSettings(
  environment: Environment,
  file: string | undefined,
): Promise<SettingsReport> {
  const { findings, config } = usable(environment);
  if (file === undefined) return { findings, config };
  const reported = (name: string) => findings.some(({ says }) => says.startsWith(`${name} `));
  return { findings: [...(await examineEnvFile(environment, file, reported)), ...findings], config };
}

/** Reads the settings. If some settings are wrong, reads the settings again without the wrong settings. */
function usable(environment: Environment): SettingsReport {
  const findings: Finding[] = [];
  const left: Record<string, string | undefined> = { ...environment };
  for (let round = 0; round < ROUNDS; round++) {
    try {
      const config = readConfig(left, { edgegap: round === 0, chat: round === 0 });
      return { findings: findings.length > 0 ? findings : [allRight(environment)], config };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (round === 0) findings.push(...error.problems.map(ofProblem));
      for (const problem of error.problems) drop(left, problem);
    }
  }
  return { findings, config: readConfig({}) };
}

function drop(left: Record<string, string | undefined>, problem: string): void {
  const name = nameIn(problem);
  if (name === undefined) return;
  if (/is in quotation marks/.test(problem)) {
    left[name] = left[name]?.trim().slice(1, -1);
    return;
  }
  const given = [name, `${name}_FILE`].filter((one) => left[one] !== undefined && left[one] !== '');
  // A platform with a missing setting cannot be checked, so the other settings of the platform are left out, too.
  const family = /^(DISCORD|SLACK)_/.exec(name)?.[0];
  const gone = given.length > 0 ? given : Object.keys(left).filter((one) => family && one.startsWith(family));
  for (const one of gone) delete left[one];
}

function ofProblem(problem: string): Finding {
  const [fact = '', ...advice] = problem.split(/: (?!\/\/)/);
  const name = nameIn(problem);
  const mend = advice.join(': ');
  return wrong(
    'settings',
    `${fact}.`,
    mend
      ? `${mend.charAt(0).toUpperCase()}${mend.slice(1).replace(/\.$/, '')}.`
      : `Correct ${name ?? 'the setting'}; ${SEE}`,
  );
}

function nameIn(problem: string): string | undefined {
  return /^[A-Za-z_]\w*(?= )/.exec(problem)?.[0];
}

function allRight(environment: Environment): Finding {
  const set = SETTING_NAMES.filter((name) => (environment[name] ?? '').trim() !== '');
  return ok('settings', `${set.length} settings are set, and all are right: ${someOf(set, 40)}.`);
}

async function examineEnvFile(
  environment: Environment,
  file: string,
  isReported: (name: string) => boolean,
): Promise<Finding[]> {
  const check = 'settings.file';
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const { code = '' } = error as { code?: string };
    const isMissing = code === 'ENOENT';
    return [
      isMissing
        ? ok(check, `There is no file ${file}, so the settings come from the environment only.`)
        : wrong(
            check,
            `The file ${file} cannot be read (${code}).`,
            'Let the user that runs the bot read the file.',
          ),
    ];
  }
  const { values, problems } = readEnvFile(bytes);
  const found = problems.map((problem) => ofFileProblem(problem, file));
  for (const [name, value] of Object.entries(values)) {
    if (TOO_LATE.test(name))
      found.push(
        warning(
          check,
          `${name} in ${file} has no effect with npm start, because Node.js reads ${name} before the bot reads the file.`,
          `Set ${name} in the environment.`,
        ),
      );
    else if (!SETTING_NAMES.includes(name) && !OF_NODE.test(name) && !isReported(name))
      found.push(unknownName(name, file));
    const elsewhere = environment[name];
    if (elsewhere !== undefined && elsewhere !== value)
      found.push(
        warning(
          check,
          `${name} has another value in the environment than in ${file}. The environment takes precedence.`,
          `Unset ${name} in the environment, or remove the line from ${file}.`,
        ),
      );
  }
  const { mode } = await stat(file);
  if ((mode & OTHERS) !== 0 && process.platform !== 'win32')
    found.push(
      warning(
        check,
        `Other users of this machine can read ${file}, which holds secrets.`,
        `Run chmod 600 ${file}.`,
      ),
    );
  const isFine = found.every(({ state }) => state === 'ok');
  return isFine ? [ok(check, `${file} can be read line by line.`), ...found] : found;
}

/** Variables that Node.js reads only when the process starts. In the file, these variables come too late. */
const TOO_LATE = /^NODE_(?:OPTIONS|EXTRA_CA_CERTS|COMPILE_CACHE|USE_)/;
/** Variables in the file that are for Node.js and not for the bot. */
const OF_NODE = /^(?:NODE_|HTTPS?_PROXY$|NO_PROXY$|TZ$)/i;

function unknownName(name: string, file: string): Finding {
  const check = 'settings.names';
  const says = `${name} in ${file} is no setting of the bot.`;
  const off = (setting: string) => distance(setting, name.toUpperCase());
  const [nearest = ''] = SETTING_NAMES.toSorted((a, b) => off(a) - off(b));
  return off(nearest) <= name.length * NEAR
    ? wrong(check, says, `Did you mean ${nearest}?`)
    : warning(check, says, `Remove the line if no other program needs it. ${SEE}`);
}

function ofFileProblem({ kind, line, name = '' }: EnvFileProblem, file: string): Finding {
  const check = 'settings.file';
  const at = `Line ${line} of ${file}`;
  switch (kind) {
    case 'encoding':
      return wrong(check, `${file} is saved as UTF-16, so no setting is read.`, 'Save the file as UTF-8.');
    case 'bom':
      return warning(
        check,
        `${file} begins with a byte order mark. The bot reads ${name || 'the first line'} nevertheless, but other programs may not.`,
        'Save the file as UTF-8 without BOM.',
      );
    case 'unclosed':
      return wrong(
        check,
        `${at} opens a quotation mark for ${name} and does not close it, so the next lines are taken for a part of the value.`,
        'Remove the quotation mark.',
      );
    case 'quotes':
      return warning(
        check,
        `${at} has the value of ${name} in quotation marks. npm start removes them; docker run --env-file does not.`,
        'Remove the quotation marks, unless the value holds a "#" or begins or ends with a space.',
      );
    case 'cut':
      return wrong(
        check,
        `${at}: the value of ${name} is cut at its "#", because a comment begins there.`,
        'Put the value into quotation marks. For docker run --env-file, leave them out.',
      );
    case 'twice':
      return warning(
        check,
        `${at} sets ${name} again. Only the last value counts.`,
        'Remove the other line.',
      );
    case 'no-setting':
      return warning(
        check,
        `${at} is neither a setting nor a comment.`,
        'Write NAME=value, or begin the line with #.',
      );
    case 'windows-lines':
      return ok(check, `${file} has Windows line ends. The bot and Docker read them.`);
  }
}
