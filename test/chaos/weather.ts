import type { SimulatedEvent } from '../../src/simulator/deployment.ts';
import {
  type CallbackFault,
  Faults,
  type RequestFacts,
  type RequestFault,
} from '../../src/simulator/faults.ts';
import type { Fault } from '../support/discord-server.ts';
import type { SlackFault } from '../support/slack-faults.ts';
import type { Bump, Moment, Schedule } from './schedule.ts';

/** Causes the faults of the schedule on every connection, until `clear` is called. */
export class Weather {
  readonly edgegap: Faults;
  readonly #schedule: Schedule;
  readonly #counts = new Map<string, number>();
  readonly #waiting = new Set<{ readonly moment: Moment; readonly strike: () => void }>();
  #over = false;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.edgegap = new EdgegapFaults(this);
  }

  /** From now on, causes no more faults. */
  clear(): void {
    this.#over = true;
  }

  /**
   * Calls `strike` when a request of this kind takes effect, before its answer is sent. Resolves with true if this
   * happened within `withinMs`.
   */
  next(moment: Moment, withinMs: number, strike: () => void): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (came: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(entry);
        resolve(came);
      };
      const entry = {
        moment,
        strike: () => {
          strike();
          end(true);
        },
      };
      const timer = setTimeout(end, withinMs, false);
      this.#waiting.add(entry);
    });
  }

  happens(moment: Moment): void {
    const entry = [...this.#waiting].find((one) => one.moment === moment);
    entry?.strike();
  }

  atEdgegap({ endpoint }: RequestFacts): RequestFault | undefined {
    if (endpoint === 'deploy') this.happens('deploy');
    return this.#draw('edgegap', this.#schedule.edgegap);
  }

  ofCallback(): CallbackFault | undefined {
    return this.#draw('callbacks', this.#schedule.callbacks);
  }

  atDoor(): Bump | null {
    return this.#draw('door', this.#schedule.door) ?? null;
  }

  /** `line` is the `METHOD /path` of a request to Discord's REST API. */
  atDiscord(line: string): Omit<Fault, 'on'> | undefined {
    const moment = momentOf(line);
    if (moment) this.happens(moment);
    const bump = this.#draw('chat', this.#schedule.chat);
    switch (bump?.kind) {
      case undefined:
        return undefined;
      case 'reset':
        return { answer: 'reset', afterEffect: bump.when === 'after' };
      case 'unavailable':
        return { answer: { status: 503, body: {} }, afterEffect: bump.when === 'after' };
      case 'slow':
        return { answer: 'right', delayMs: bump.ms };
      case 'broken':
        // Discord's answer to a first response has no body.
        if (line.endsWith('/callback')) return undefined;
        return { answer: 'broken', afterEffect: true };
      case 'too-many':
        return {
          answer: {
            status: 429,
            headers: { 'retry-after': String(bump.retryAfter) },
            body: { message: 'You are being rate limited.', retry_after: bump.retryAfter, global: false },
          },
        };
    }
  }

  /** `method` is a method of Slack's Web API, or `response_url`. */
  atSlack(method: string): SlackFault | undefined {
    const moment = SLACK_MOMENTS[method];
    if (moment) this.happens(moment);
    const bump = this.#draw('chat', this.#schedule.chat);
    switch (bump?.kind) {
      case undefined:
        return undefined;
      case 'reset':
        return { kind: 'reset', when: bump.when };
      case 'unavailable':
        return { kind: 'status', status: 503, when: bump.when };
      case 'slow':
        return { kind: 'slow', ms: bump.ms };
      case 'broken':
        return { kind: 'broken' };
      case 'too-many':
        return { kind: 'rate-limit', retryAfter: Math.ceil(bump.retryAfter) };
    }
  }

  #draw<T>(kind: string, entries: readonly (T | null)[]): T | undefined {
    const count = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, count + 1);
    if (this.#over) return undefined;
    return entries[count % entries.length] ?? undefined;
  }
}

const SLACK_MOMENTS: Readonly<Record<string, Moment>> = {
  'chat.postMessage': 'post',
  'chat.update': 'edit',
  'chat.postEphemeral': 'answer',
  response_url: 'answer',
};

function momentOf(line: string): Moment | undefined {
  if (/^POST \/channels\/\d+\/messages$/.test(line)) return 'post';
  if (/^PATCH \/channels\//.test(line)) return 'edit';
  if (/\/webhooks\/|\/callback$/.test(line)) return 'answer';
  return undefined;
}

class EdgegapFaults extends Faults {
  readonly #weather: Weather;

  constructor(weather: Weather) {
    super();
    this.#weather = weather;
  }

  override takeForRequest(facts: RequestFacts): RequestFault | undefined {
    const planned = super.takeForRequest(facts);
    if (planned) return planned;
    const fault = this.#weather.atEdgegap(facts);
    const deployOnly = fault?.kind === 'cannot-allocate' || fault?.kind === 'image-cannot-be-pulled';
    return deployOnly && facts.endpoint !== 'deploy' ? undefined : fault;
  }

  override takeForCallback(event: SimulatedEvent, id: string): CallbackFault | undefined {
    return super.takeForCallback(event, id) ?? this.#weather.ofCallback();
  }
}
