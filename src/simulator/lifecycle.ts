import type { CallbackSender } from './callbacks.ts';
import { isEnding, phaseOf, type SimulatedDeployment, type SimulatedPhase } from './deployment.ts';
import { appendLog, crashReport } from './logs.ts';
import type { Settings } from './options.ts';
import type { Timers } from './timers.ts';

/** Whether and how a deployment will fail. The simulator decides this at the deploy. */
interface PlannedOutcome {
  /** The error detail, if the image cannot be pulled. */
  readonly imageError: string | undefined;
  readonly crashes: boolean;
}

/** How the game server's process ends. With `restarts`, the container starts again and the deployment stays READY. */
export interface Crash {
  readonly exit_code: number;
  readonly message: string;
  readonly restarts?: boolean;
}

interface Deps {
  readonly settings: Settings;
  readonly timers: Timers;
  readonly callbacks: CallbackSender;
}

/** Moves deployments through their phases by the simulator's clock, and triggers the callbacks. */
export class Lifecycle {
  readonly #deps: Deps;
  /** The timers of each deployment. They are cancelled when the deployment leaves the planned sequence of phases. */
  readonly #pending = new Map<string, (() => void)[]>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  start(deployment: SimulatedDeployment, fate: PlannedOutcome): void {
    const { initializing, seeking, seeked, scanning, deploying } = this.#deps.settings.durations;
    const steps = { SEEKING: initializing, SEEKED: seeking, SCANNING: seeked, DEPLOYING: scanning };
    let total = 0;
    for (const phase of ['SEEKING', 'SEEKED', 'SCANNING', 'DEPLOYING'] as const) {
      total += steps[phase];
      this.#after(deployment, total, () => this.#enter(deployment, phase));
    }
    this.#after(deployment, total + deploying, () => {
      if (fate.imageError === undefined) this.#ready(deployment, fate);
      else this.fail(deployment, fate.imageError);
    });
  }

  /** Stops a deployment. Returns false if the stop must wait until the status is READY or ERROR. */
  stop(deployment: SimulatedDeployment): boolean {
    const phase = phaseOf(deployment);
    if (phase !== 'READY' && phase !== 'ERROR') {
      deployment.stopRequested = true;
      return false;
    }
    this.abandon(deployment);
    this.#enter(deployment, 'TERMINATING');
    this.#after(deployment, this.#deps.settings.durations.terminating, () => this.terminate(deployment));
    return true;
  }

  fail(deployment: SimulatedDeployment, detail: string): void {
    if (isEnding(phaseOf(deployment))) return;
    this.abandon(deployment);
    deployment.errorDetail = detail;
    this.#enter(deployment, 'ERROR');
    this.#deps.callbacks.send(deployment, 'error');
    if (deployment.stopRequested) this.stop(deployment);
  }

  crash(deployment: SimulatedDeployment, { exit_code, message, restarts = false }: Crash): void {
    if (isEnding(phaseOf(deployment))) return;
    const now = this.#deps.settings.clock.now();
    const restart_count = (deployment.crash?.restart_count ?? 0) + (restarts ? 1 : 0);
    deployment.crash = { exit_code, message, restart_count, logs: crashReport(deployment, now, message) };
    if (restarts) appendLog(deployment, now, `[boot] restarted after exit code ${exit_code}`);
    else this.fail(deployment, `The container exited with code ${exit_code}: ${message}`);
  }

  /** Ends a deployment at once. */
  terminate(deployment: SimulatedDeployment): void {
    if (phaseOf(deployment) === 'TERMINATED') return;
    this.abandon(deployment);
    this.#enter(deployment, 'TERMINATED');
    this.#deps.callbacks.send(deployment, 'terminated');
  }

  /** Cancels the timers of a deployment. */
  abandon(deployment: SimulatedDeployment): void {
    for (const cancel of this.#pending.get(deployment.request_id) ?? []) cancel();
    this.#pending.delete(deployment.request_id);
  }

  #ready(deployment: SimulatedDeployment, fate: PlannedOutcome): void {
    this.#enter(deployment, 'READY');
    this.#deps.callbacks.send(deployment, 'ready');
    if (deployment.stopRequested) return void this.stop(deployment);
    if (fate.crashes) {
      const fault = { exit_code: 139, message: 'segmentation fault in physics step' };
      this.#after(deployment, this.#deps.settings.durations.crashAfter, () => this.crash(deployment, fault));
    }
    if (deployment.maxDuration >= 0) {
      this.#after(deployment, deployment.maxDuration * 60_000, () => this.stop(deployment));
    }
  }

  #enter(deployment: SimulatedDeployment, phase: SimulatedPhase): void {
    deployment.history.push({ phase, at: this.#deps.settings.clock.now() });
  }

  #after(deployment: SimulatedDeployment, ms: number, run: () => void): void {
    const cancels = this.#pending.get(deployment.request_id) ?? [];
    cancels.push(this.#deps.timers.after(ms, run));
    this.#pending.set(deployment.request_id, cancels);
  }
}
