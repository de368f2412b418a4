import type { AckFn, ReceiverEvent, ViewResponseAction } from '@slack/bolt';
import type { Choice } from '../../chat/card.ts';
import type { Adapter, Inbox, SuggestionRequest } from '../../chat/port.ts';
import { type Clock, within } from '../../clock.ts';
import type { SlackConfig } from '../../config.ts';
import { DeliveryError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { type Acknowledgement, acknowledgeInTime } from './acknowledgement.ts';
import { createAnswer, type SlackAsker, SlackReply } from './answer.ts';
import { createSlackApi, type SlackTokenRefused } from './api.ts';
import { createBoltLogger } from './bolt-logger.ts';
import { App } from './bolt-package.ts';
import { createFiles } from './files.ts';
import { renderForm, suggestedOptions } from './form.ts';
import { createHttpReceiver } from './http-receiver.ts';
import { fetchIdentity, type Identity } from './identity.ts';
import { addressOf, createInvocation, PLATFORM, replyPlace, toRef } from './invocation.ts';
import { ANSWERABLE_MS, LIMITS, PACE_MS } from './limits.ts';
import { SLACK_PATH } from './manifest.ts';
import { metadataOf } from './modal.ts';
import { openForm } from './open-form.ts';
import { createPatience, lookingFirst } from './patience.ts';
import { createPeople } from './people.ts';
import { createPosts } from './posts.ts';
import {
  fromBlockActions,
  fromBlockSuggestion,
  fromGlobalShortcut,
  fromHomeOpened,
  fromMention,
  fromMessageShortcut,
  fromSlashCommand,
  fromViewClosed,
  fromViewSubmission,
  type Incoming,
} from './receive.ts';
import { fitsWhole } from './render.ts';
import { createSocketReceiver } from './socket-receiver.ts';
import { createStreams } from './streams.ts';

/** The longest time that Slack waits for an acknowledgement (docs.slack.dev, acknowledging). */
const ACKNOWLEDGE_MS = 3_000;

/**
 * The limits of a form on Slack. `fields` is only half the number of blocks, because headings and the button "More
 * options" are blocks, too.
 */
const FORMS = {
  fields: LIMITS.view.blocks / 2,
  choices: LIMITS.options,
  value: LIMITS.option,
  text: LIMITS.text,
  live: true,
} as const;

/**
 * The longest time for sending the files of a message. During this time, later messages from the outbox to the same
 * channel wait.
 */
const FILE_PATIENCE_MS = 60_000;

export interface SlackAdapterOptions {
  readonly config: SlackConfig;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called whenever Slack refuses a token that worked before. */
  readonly refused?: SlackTokenRefused;
}

/** The adapter for Slack, built on Bolt. Serves a single workspace, over Socket Mode or over HTTP. */
export function createSlackAdapter({ config, clock, log, refused }: SlackAdapterOptions): Adapter {
  const logger = createBoltLogger(log);
  const quiet = createBoltLogger(log, { quiet: true });
  const api = createSlackApi(config, quiet, clock, refused);
  let self: Identity | undefined;
  let inbox: Inbox | undefined;

  const identity = (): Identity => {
    // If the bot could not reach Slack at the start, this error makes callers retry their messages until the bot is
    // connected.
    if (!self)
      throw new DeliveryError('slack-not-connected', 'I am not connected to Slack yet.', {
        outcome: 'not-sent',
        retryable: true,
      });
    return self;
  };
  const posts = createPosts(api, identity);
  const patience = createPatience(clock);
  const files = createFiles(api, posts, patience, log);
  const people = createPeople({ api, access: config.access, clock, log, identity });
  const receiver =
    config.mode.kind === 'socket'
      ? createSocketReceiver({ appToken: config.mode.appToken, api, logger: quiet, clock, log })
      : createHttpReceiver({ signingSecret: config.mode.signingSecret, logger, clock, log });

  const app = new App({
    receiver: receiver.bolt,
    logger,
    clientOptions: api.options,
    convoStore: false,
    // The bot fetches its ids at the start. Otherwise Bolt would call auth.test for every request.
    authorize: async () => {
      const { botId, botUser } = identity();
      return { botToken: config.botToken, botId, botUserId: botUser };
    },
  });

  const answersTo = (asked: SlackAsker, answerableMs: number) =>
    createAnswer({ asked, api, posts, files, patience, answerableMs, clock });

  const fileWait = () => ({ patienceMs: FILE_PATIENCE_MS });

  /** The acknowledgements that Slack is still waiting for. */
  const unacknowledged = new Set<Promise<void>>();
  function acknowledgementBy(ack: Parameters<typeof acknowledgeInTime>[0]): Acknowledgement {
    const acknowledgement = acknowledgeInTime(ack, clock, log);
    unacknowledged.add(acknowledgement.done);
    void acknowledgement.done.finally(() => unacknowledged.delete(acknowledgement.done));
    return acknowledgement;
  }

  /** The acknowledgements of mentions. The key is the body of Slack's request. */
  const held = new WeakMap<object, Acknowledgement>();
  const process = app.processEvent.bind(app);
  // Bolt acknowledges an event before Bolt calls any listener (App.processEvent). For a mention, this wrapper therefore
  // delays the acknowledgement until the bot has stored the mention.
  app.processEvent = async (delivery) => {
    const { body, ack } = delivery;
    if (body.event?.type !== 'app_mention') return await processAndAcknowledge(delivery);
    const acknowledgement = acknowledgementBy(() => ack());
    held.set(body, acknowledgement);
    try {
      await process({ ...delivery, ack: async () => undefined });
    } finally {
      // Also acknowledges a mention that reached no listener.
      await acknowledgement.now();
    }
  };

  /**
   * Acknowledges a signed request even if the bot cannot read the request. Without an acknowledgement, Slack would send
   * the request again.
   */
  async function processAndAcknowledge(delivery: ReceiverEvent): Promise<void> {
    let acknowledged = false;
    const ack: ReceiverEvent['ack'] = async (response) => {
      acknowledged = true;
      await delivery.ack(response);
    };
    try {
      await process({ ...delivery, ack });
    } finally {
      if (!acknowledged) await ack();
    }
  }

  async function receive(incoming: Incoming | undefined, acknowledgement: Acknowledgement): Promise<void> {
    try {
      if (!incoming || !inbox) return;
      const { did, trigger: _, view: _view, fieldNames: _names, ...place } = incoming;
      const asked: SlackAsker = { ...place, receivedAt: clock.now() };
      const answers = answersTo(asked, ANSWERABLE_MS);
      const { team: workspace } = identity();
      const invocation = createInvocation({
        adapter,
        incoming:
          did.kind === 'command'
            ? { ...incoming, did: { ...did, text: await people.withName(did.text) } }
            : incoming,
        asked,
        people,
        answers,
        workspace,
        acknowledgement,
        openForm: (place, form) =>
          openForm(place, form, {
            api,
            clock,
            render: (ready) => renderForm(ready, metadataOf(asked), { asksChannel: asked.channel === '' }),
          }),
      });
      await inbox.invoke(invocation);
    } finally {
      await acknowledgement.now();
    }
  }

  async function suggest(body: unknown): Promise<readonly Choice[]> {
    const asked = fromBlockSuggestion(body);
    if (!asked || !inbox) return [];
    const at = addressOf(asked.place, identity().team);
    const person: SuggestionRequest['person'] = (freshness) => people.person(asked.user, freshness);
    return await inbox.suggest({ ...asked.question, at, person });
  }

  app.command(/.*/, async ({ ack, body }) => {
    await receive(
      fromSlashCommand(body),
      acknowledgementBy(() => ack()),
    );
  });
  app.action({ type: 'block_actions' }, async ({ ack, body }) => {
    await receive(
      fromBlockActions(body),
      acknowledgementBy(() => ack()),
    );
  });
  app.shortcut({ type: 'message_action' }, async ({ ack, body }) => {
    await receive(
      fromMessageShortcut(body, identity()),
      acknowledgementBy(() => ack()),
    );
  });
  app.shortcut({ type: 'shortcut' }, async ({ ack, body }) => {
    await receive(
      fromGlobalShortcut(body),
      acknowledgementBy(() => ack()),
    );
  });
  app.view({ type: 'view_submission' }, async ({ ack, body }) => {
    // Slack calls this listener only for submissions. The type of `ack` also allows other events, so a cast is needed.
    const answer = ack as AckFn<ViewResponseAction>;
    const acknowledgement = acknowledgementBy((mistakes) => (mistakes ? answer(mistakes) : answer()));
    await receive(fromViewSubmission(body), acknowledgement);
  });
  app.view({ type: 'view_closed' }, async ({ ack, body }) => {
    await ack();
    const closed = fromViewClosed(body);
    if (!closed) return;
    const at = addressOf(closed.place, identity().team);
    await inbox?.closed({ at, askerId: closed.user, action: closed.action });
  });
  app.options(/^/, async ({ ack, body }) => {
    await ack({ options: suggestedOptions(await suggest(body)) });
  });
  app.event('app_mention', async ({ body }) => {
    const acknowledgement = held.get(body);
    if (acknowledgement) await receive(fromMention(body, identity()), acknowledgement);
  });
  app.event('app_home_opened', async ({ body }) => {
    // Bolt has acknowledged the event already, so this acknowledgement sends nothing.
    await receive(
      fromHomeOpened(body),
      acknowledgementBy(async () => undefined),
    );
  });
  app.event('subteam_members_changed', async ({ event }) => people.forgetGroup(event.subteam_id));
  app.event('subteam_updated', async ({ event }) => people.forgetGroup(event.subteam.id));
  app.error(async (error) => {
    log.error({ err: error }, 'slack: a delivery could not be handled');
  });

  const adapter: Adapter = {
    platform: PLATFORM,
    supports: { idempotentPosts: false, history: true, forms: FORMS },
    paceMs: PACE_MS,
    ...(receiver.listener ? { http: { path: SLACK_PATH, listener: receiver.listener } } : {}),

    async start(given) {
      self = await fetchIdentity(api, log);
      inbox = given;
      await receiver.open();
    },
    async stop() {
      // In Socket Mode, the bot sends acknowledgements over the socket. If the socket closed first, Slack would tell
      // people that the bot did not respond.
      await within(clock, ACKNOWLEDGE_MS, Promise.all(unacknowledged));
      await receiver.close();
      inbox = undefined;
    },
    hurry: () => patience.stop(),
    close: () => adapter.stop(),
    healthy: () => receiver.isOpen(),

    streams: createStreams(api, posts),
    fits: fitsWhole,
    async post(to, { message, key, replyTo, alsoToChannel = false, patient = false }) {
      const place = replyPlace(to, replyTo);
      const since = clock.now();
      const posted = await files.show(message, fileWait, (bare) => {
        const send = () => posts.post(place, bare, { key, alsoToChannel });
        if (!patient) return send();
        const safely = lookingFirst(send, () => posts.find(place, key, since));
        return patience.inTurn(`post ${place.channel}`, { patienceMs: ANSWERABLE_MS }, safely);
      });
      return toRef(posted, to.workspace);
    },
    async edit({ message: ts, ...at }, message) {
      await files.show(message, fileWait, (bare) => posts.edit({ ...at, ts }, bare));
    },
    async findPosted(to, key, since, replyTo) {
      const found = await posts.find(replyPlace(to, replyTo), key, since);
      return found && toRef(found, to.workspace);
    },
    async resume(reply, answer) {
      const { mode, asked } = SlackReply.parse(reply);
      await answersTo(asked, FILE_PATIENCE_MS).resume(mode, answer);
    },
    person: (id) => people.person(id, 'fresh'),
    async sendDirect({ id }, { message, key }) {
      // A message that is posted to a user id becomes a direct message, and needs only the scope chat:write
      // (chat.postMessage).
      await files.show(message, fileWait, (bare) => posts.post({ channel: id }, bare, { key }));
    },
  };
  return adapter;
}
