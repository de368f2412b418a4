import type { Inbox, Invocation, Question } from '../chat/port.ts';
import { within } from '../clock.ts';
import { AppError } from '../errors.ts';
import { Presses } from './presses.ts';
import { suggestions } from './suggest.ts';
import { Turn, type TurnParts } from './turn.ts';

/** How long suggestions may take, in milliseconds of real time: platforms wait 3000 for them. */
const SUGGEST_MS = 2_000;

export interface Pipeline extends Inbox {
  /** Takes nothing new; resolves when what is under way has been answered. */
  drain(): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** authorise -> parse -> first response -> run -> report; for a command, a button press and a submitted form alike. */
export function createPipeline(parts: Omit<TurnParts, 'presses'>): Pipeline {
  const underWay = new Set<Promise<void>>();
  const presses = new Presses(parts.clock);
  let draining = false;

  async function answered(invocation: Invocation): Promise<void> {
    const turn = new Turn(invocation, { ...parts, presses });
    try {
      if (draining)
        throw new AppError('restarting', 'I am being restarted.', { hint: 'Try again in a few seconds.' });
      await turn.take();
    } catch (error) {
      await turn.report(error);
    }
  }

  const idle = async () => {
    while (underWay.size > 0) await Promise.all(underWay);
  };

  async function suggest(question: Question): Promise<readonly string[]> {
    const { command, option } = question;
    try {
      return (await within(parts.realClock, SUGGEST_MS, suggestions(question, parts))) ?? [];
    } catch (err) {
      parts.log.warn({ err, command, option }, 'suggestions: none can be offered');
      return [];
    }
  }

  return {
    suggest,
    invoke(invocation) {
      const work: Promise<void> = answered(invocation).finally(() => underWay.delete(work));
      underWay.add(work);
      return work;
    },
    idle,
    async drain() {
      draining = true;
      await idle();
    },
  };
}
