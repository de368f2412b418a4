import type { RequestListener } from 'node:http';
import type { Receiver } from '@slack/bolt';

/** Receives Slack's requests, either over a socket that the bot opens, or over HTTP on the bot's only port. */
export interface SlackReceiver {
  /** The receiver that is passed to Bolt. */
  readonly bolt: Receiver;
  readonly listener?: RequestListener;
  open(): Promise<void>;
  close(): Promise<void>;
  isOpen(): boolean;
}
