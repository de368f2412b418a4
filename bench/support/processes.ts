import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface Ask {
  /** The platform's id of the invocation. */
  readonly id: string;
  /** The tag by which the simulated Edgegap distinguishes the deployments. */
  readonly tag: string;
}

export interface Done {
  /** The peak memory of the process so far. */
  readonly peakMiB: number;
}

/** A process that deploys. */
export interface Deployer {
  /** Sends all deploys at once. Resolves when every deploy was answered. */
  deploy(asks: readonly Ask[]): Promise<Done>;
  /** Kills the process. */
  kill(): Promise<void>;
}

/**
 * Starts `bench/support/SCRIPT-process.ts`. Resolves when that process is ready. Its stderr goes to the stderr of this
 * process.
 */
export async function startDeployer(script: string, settings: Record<string, string>): Promise<Deployer> {
  const env = { ...process.env, ...settings };
  const child = fork(join(import.meta.dirname, `${script}-process.ts`), { env });
  const exit = once(child, 'exit');
  const next = async (): Promise<unknown> => {
    const message = await Promise.race([once(child, 'message'), exit.then(() => undefined)]);
    if (!message) throw new Error(`The process ended with ${child.exitCode ?? child.signalCode}`);
    return message[0];
  };
  await next();
  return {
    async deploy(asks) {
      child.send(asks as Ask[]);
      return (await next()) as Done;
    },
    async kill() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** Answers the parent process. The started process calls this function when it is ready. */
export function answerParent(deploy: (ask: Ask) => Promise<unknown>): void {
  process.on('message', async (asks: Ask[]) => {
    await Promise.all(asks.map(deploy));
    process.send?.({ peakMiB: process.resourceUsage().maxRSS / 1024 } satisfies Done);
  });
  process.send?.('ready');
}
