import { type Clock, within } from '../clock.ts';
import type { EdgegapApi } from '../edgegap/client.ts';
import { isNoSuchDeployment } from '../edgegap/errors.ts';
import { BACKGROUND } from '../edgegap/transport.ts';
import { AppError } from '../errors.ts';
import { maskedTail } from '../log/tail.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/schema.ts';
import { type Recorded, Recordings } from './recordings.ts';

/**
 * The maximum size of a server's saved logs, in bytes. Of this size, the log of a crashed run may use `MOST_OF_CRASH`.
 */
const MOST = 512 * 1024;
const MOST_OF_CRASH = MOST / 4;
/** The maximum time that a stop waits until the logs of its servers have been read. */
const STOP_WAITS_MS = 3_000;
/** The number of logs that are read concurrently before a stop of many servers. */
const AT_ONCE = 4;

export interface RecorderParts {
  readonly store: Store;
  readonly account: string;
  readonly edgegap: Pick<EdgegapApi, 'logs'>;
  /** Texts to mask in every log, for example the bot's tokens. */
  readonly secrets: readonly string[];
  /** Whether logs are saved. */
  readonly flightRecorder: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The flight recorder of an account. It saves the logs of servers, because Edgegap deletes a log together with its
 * server.
 */
export class Recorder {
  readonly recordings: Recordings;
  readonly #parts: RecorderParts;

  constructor(parts: RecorderParts) {
    this.recordings = new Recordings(parts.store, parts.account);
    this.#parts = parts;
  }

  /** Whether logs are saved. */
  get isOn(): boolean {
    return this.#parts.flightRecorder;
  }

  /**
   * Reads the log of a server, and saves the log if it is not empty. Throws in the same cases as `EdgegapClient.logs`.
   */
  async record(request_id: string, quiet = false): Promise<Recorded> {
    const { edgegap, clock } = this.#parts;
    const told = await edgegap.logs(request_id, BACKGROUND);
    const crash_logs = told.crash_logs && (await this.#newest(told.crash_logs, MOST_OF_CRASH));
    const logs = await this.#newest(told.logs, MOST - Buffer.byteLength(crash_logs ?? ''));
    const recorded = { ...told, logs, crash_logs, recordedAt: clock.now(), quiet };
    if (this.isOn && (logs || crash_logs)) await this.recordings.save(request_id, recorded);
    return recorded;
  }

  /**
   * Reads and saves the logs of servers that are about to be stopped. Resolves after three seconds at the latest, and
   * never rejects. If the bot has started to read a log by then, the log is still saved. With `quiet`, no message shows
   * the logs, and only the command `logs` shows them.
   */
  async beforeStop(request_ids: readonly string[], { quiet = false } = {}): Promise<void> {
    if (!this.isOn) return;
    const left = [...request_ids];
    const recordAll = async () => {
      for (let id = left.shift(); id !== undefined; id = left.shift()) await this.#try(id, quiet);
    };
    await within(this.#parts.clock, STOP_WAITS_MS, Promise.all(Array.from({ length: AT_ONCE }, recordAll)));
    left.length = 0;
  }

  async #try(request_id: string, quiet: boolean): Promise<void> {
    try {
      await this.record(request_id, quiet);
    } catch (error) {
      if (isNoSuchDeployment(error)) return;
      const why = error instanceof AppError ? { code: error.code } : { err: error };
      this.#parts.log.warn({ deployment: request_id, ...why }, 'recorder: a log could not be saved');
    }
  }

  /** Returns the newest part of a log, with secrets masked. The part begins with a whole line. */
  async #newest(log: string, most: number): Promise<string> {
    const { text } = await maskedTail(log, Number.POSITIVE_INFINITY, this.#parts.secrets);
    const bytes = Buffer.from(text);
    if (bytes.length <= most) return text;
    const end = bytes.subarray(-most);
    return end.subarray(end.indexOf('\n') + 1).toString();
  }
}
