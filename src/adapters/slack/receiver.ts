import type { RequestListener } from 'node:http';
import type { Receiver } from '@slack/bolt';

/** Receives Slack's deliveries: over a socket that the bot opens, or by HTTP on the bot's single port. */
export interface SlackReceiver {
  /** The part that Bolt takes. */
  readonly bolt: Receiver;
  readonly listener?: RequestListener;
  open(): Promise<void>;
  close(): Promise<void>;
  isOpen(): boolean;
}
