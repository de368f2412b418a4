import type { Choice } from '../chat/card.ts';
import type { Address, ClosedForm, Invocation, SuggestionRequest } from '../chat/port.ts';
import { within } from '../clock.ts';
import { RefusedError } from '../errors.ts';
import type { Services } from './define.ts';
import { createDoublePresses } from './double-press.ts';
import { createFairShare, type PerPerson } from './fair-share.ts';
import { meantBy } from './form-turn.ts';
import { forgetValues } from './forms/state.ts';
import { suggestions } from './suggest.ts';
import { createTurn, type Turn, type TurnParts } from './turn.ts';

/** How long suggestions may take, in milliseconds of real time. Platforms wait 3000 ms for suggestions. */
const SUGGEST_MS = 2_000;

export type Pipeline = ReturnType<typeof createPipeline>;

export interface PipelineParts extends Omit<TurnParts, 'presses' | 'services'> {
  /** Returns the services of the Edgegap account that is used in the channel `at`. */
  readonly services: (at: Address) => Services;
  /** The limits for the requests of each person. If absent, there are no limits. */
  readonly perPerson?: PerPerson;
}

/**
 * Takes each invocation through these steps: limit per person, authorise, parse, first response, run, report. The steps
 * are the same for commands, buttons and forms.
 */
export function createPipeline(parts: PipelineParts) {
  const underWay = new Set<Promise<void>>();
  const presses = createDoublePresses(parts.clock);
  const fairShare = createFairShare(parts.perPerson ?? { requests: 0, waiting: 0 }, parts.clock);
  let draining = false;

  async function answered(invocation: Invocation, carry: (turn: Turn) => Promise<void>): Promise<void> {
    const turn = createTurn(invocation, { ...parts, services: parts.services(invocation.at), presses });
    try {
      await carry(turn);
    } catch (error) {
      await turn.report(error);
    }
  }

  function followed(answering: Promise<void>): Promise<void> {
    const work: Promise<void> = answering.finally(() => underWay.delete(work));
    underWay.add(work);
    return work;
  }

  /** Resolves when no invocation is in progress. */
  const idle = async () => {
    while (underWay.size > 0) await Promise.all(underWay);
  };

  return {
    async suggest(question: SuggestionRequest): Promise<readonly Choice[]> {
      const { command, subcommand, option } = question;
      try {
        const offered = suggestions(question, { ...parts, services: parts.services(question.at) });
        return (await within(parts.realClock, SUGGEST_MS, offered)) ?? [];
      } catch (err) {
        parts.log.warn({ err, command, subcommand, option }, 'suggestions: cannot be offered');
        return [];
      }
    },
    /**
     * Deletes the stored values of a form that the person has closed, because the person can no longer submit the form.
     */
    async closed(form: ClosedForm): Promise<void> {
      const { at, askerId: id } = form;
      const services = parts.services(at);
      const key = meantBy(services, form)?.ref.key ?? '';
      await forgetValues(services, { id, at }, key).catch((err: unknown) =>
        parts.log.warn({ err }, 'the values of a closed form are kept for twelve hours'),
      );
    },
    invoke(invocation: Invocation) {
      const carry = async (turn: Turn) => {
        if (draining) throw restarting();
        await fairShare.take(
          invocation,
          (wait) => turn.take(wait),
          (reason) => turn.drop(reason),
        );
      };
      return followed(answered(invocation, carry));
    },
    /**
     * Like `invoke`, for a stored request. The request does not count towards the limit per person, because it counted
     * when the person sent it. Works even after `drain` was called, because the caller is a running task, and the
     * process waits for running tasks before it ends.
     */
    carryOut: (invocation: Invocation) => followed(answered(invocation, (turn) => turn.take())),
    idle,
    /** Refuses new invocations. Resolves when the bot has answered all invocations in progress. */
    async drain() {
      draining = true;
      fairShare.close(restarting());
      await idle();
    },
  };
}

function restarting(): RefusedError {
  const hint = 'Try again in a few seconds.';
  return new RefusedError('restarting', 'I am being restarted.', { hint, later: true });
}
