/**
 * The environment of a process that a test starts: the settings of the person who runs the tests must not matter. The
 * folder of compiled modules (vitest.config.ts) halves the time that a process takes to start.
 */
export const bareEnvironment = {
  PATH: process.env.PATH,
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
};
