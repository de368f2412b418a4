import type { RequestListener } from 'node:http';
import type { Receiver } from '@slack/bolt';

/** How Slack's deliveries come in: over a socket we open, or by HTTP to the bot's one port. */
export interface SlackReceiver {
  readonly receiver: Receiver;
  readonly listener?: RequestListener;
  open(): Promise<void>;
  close(): Promise<void>;
  isOpen(): boolean;
}
