import type { Invocation } from '../chat/port.ts';
import { RefusedError } from '../errors.ts';
import { FairShare, type PerPerson } from './fair-share.ts';
import { Presses } from './presses.ts';
import { Turn, type TurnParts } from './turn.ts';

export interface Pipeline {
  /** Carries one invocation through, and answers it whatever happens. Never rejects. */
  handle(invocation: Invocation): Promise<void>;
  /** Takes nothing new; resolves when what is under way has been answered. */
  drain(): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export interface PipelineParts extends Omit<TurnParts, 'presses'> {
  /** Without it, everybody may ask as much as they like. */
  readonly perPerson?: PerPerson;
}

/** fair share -> authorise -> parse -> acknowledge -> run -> report; for a command and for a button press alike. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const underWay = new Set<Promise<void>>();
  const presses = new Presses(parts.clock);
  const fairShare = new FairShare(parts.perPerson ?? { requests: 0, waiting: 0 }, parts.clock);
  let draining = false;

  async function answered(invocation: Invocation): Promise<void> {
    const turn = new Turn(invocation, { ...parts, presses });
    try {
      if (draining) throw restarting();
      await fairShare.take(
        invocation,
        (wait) => turn.take(wait),
        (reason) => turn.drop(reason),
      );
    } catch (error) {
      await turn.report(error);
    }
  }

  const idle = async () => {
    while (underWay.size > 0) await Promise.all(underWay);
  };

  return {
    handle(invocation) {
      const work: Promise<void> = answered(invocation).finally(() => underWay.delete(work));
      underWay.add(work);
      return work;
    },
    idle,
    async drain() {
      draining = true;
      fairShare.close(restarting());
      await idle();
    },
  };
}

function restarting(): RefusedError {
  return new RefusedError('restarting', 'I am being restarted.', { hint: 'Try again in a few seconds.' });
}
