/**
 * The environment of a process that a test starts. The settings of the person who runs the tests must have no effect.
 * With the folder of compiled modules (vitest.config.ts), a process starts in half the time.
 */
export const bareEnvironment = {
  PATH: process.env.PATH,
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
};

/** A folder without a file `.env`, for the same reason. */
export const bareFolder = import.meta.dirname;
