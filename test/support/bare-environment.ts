/**
 * The environment for processes that tests start. It excludes the settings of the person who runs the tests. It
 * includes the folder with compiled modules (vitest.config.ts), which halves the start time of a process.
 */
export const bareEnvironment = {
  PATH: process.env.PATH,
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
};

/** A folder without a file `.env`, so that a process reads no settings of the person who runs the tests. */
export const bareFolder = import.meta.dirname;
