import { plainText } from '../../chat/card.ts';
import type { Form } from '../../chat/form.ts';
import type {
  AckMode,
  Adapter,
  Address,
  Invocation,
  InvocationRequest,
  MessageRef,
} from '../../chat/port.ts';
import { cutEnd } from '../../chat/text.ts';
import { spelled, withTyped } from '../../chat/typed.ts';
import type { Acknowledgement } from './acknowledgement.ts';
import type { SlackAnswer, SlackAsker } from './answer.ts';
import { LIMITS } from './limits.ts';
import type { People } from './people.ts';
import type { PostedMessage, SlackPlace } from './posts.ts';
import type { Incoming } from './receive.ts';
import { spellingIn } from './spelling.ts';

export const PLATFORM = 'slack';

/** The modal for a form: a new modal (`trigger`), or the open modal (`view`) in which a button was pressed. */
export type FormPlace = { readonly trigger: string } | { readonly view: string };

/** Turns a request of a person on Slack into an `Invocation`, the type that all platforms share. */
export function createInvocation(parts: {
  readonly adapter: Adapter;
  readonly incoming: Incoming;
  readonly asked: SlackAsker;
  readonly people: People;
  readonly answers: SlackAnswer;
  readonly workspace: string;
  /** Tells Slack that the invocation has arrived. */
  readonly acknowledgement: Acknowledgement;
  readonly openForm: (where: FormPlace, form: Promise<Form>) => Promise<void>;
}): Invocation {
  const { adapter, incoming, asked, people, answers, workspace, acknowledgement } = parts;
  const { trigger, view, fieldNames } = incoming;
  const formPlace = view !== undefined ? { view } : trigger !== undefined ? { trigger } : undefined;
  let mode: AckMode = 'private';
  return {
    id: incoming.id,
    adapter,
    at: addressOf(incoming, workspace),
    request: requestOf(incoming, workspace),
    reply: (mode) => ({ mode, asked }),
    meanwhile: { askerId: incoming.user, holdBack: acknowledgement.holdBack },
    // Slack gets an acknowledgement even if the bot shows no response, so the person sees no error.
    maySkip: true,
    person: (freshness) => people.person(incoming.user, freshness),
    async refuse(message) {
      await acknowledgement.now();
      await answers.privately(message);
    },
    ...(formPlace === undefined ? {} : { openForm: (form) => parts.openForm(formPlace, form) }),
    ...(fieldNames === undefined
      ? {}
      : {
          async refuseField(field, text) {
            // Slack refuses an error text for a field that the form does not have.
            if (!fieldNames.includes(field)) return false;
            const words = plainText(spelled(withTyped(text), spellingIn(incoming.thread)));
            const errors = { [field]: cutEnd(words, LIMITS.view.mistake) };
            return await acknowledgement.with({ response_action: 'errors', errors });
          },
        }),
    // Slack shows people no "thinking" message when the bot acknowledges, so `wanted` matters only for the answer.
    async acknowledge(wanted) {
      await acknowledgement.now();
      mode = wanted;
    },
    respond: (message) => answers.respond(mode, message),
    respondPrivately: (message) => answers.privately(message),
    postCard: async (message, under) => {
      const place = mode === 'public' || !under ? undefined : replyPlace(under, under);
      return toRef(await answers.postCard(message, place), workspace);
    },
  };
}

function requestOf({ did, source: pressed, ...place }: Incoming, workspace: string): InvocationRequest {
  if (did.kind === 'command')
    return { kind: 'command', command: did.command, args: { kind: 'text', text: did.text } };
  if (did.kind === 'message') {
    const { ts, parent, ...request } = did;
    const { channel } = place;
    const under = parent === undefined ? undefined : toRef({ channel, ts: parent }, workspace);
    return { ...request, message: toRef({ ...place, ts }, workspace), under };
  }
  const source = pressed && !pressed.ephemeral ? toRef(pressed, workspace) : undefined;
  return { ...did, source };
}

export function addressOf({ channel, thread }: SlackPlace, workspace: string): Address {
  return { platform: PLATFORM, workspace, channel, ...(thread === undefined ? {} : { thread }) };
}

export function toRef({ ts, ...place }: PostedMessage, workspace: string): MessageRef {
  return { ...addressOf(place, workspace), message: ts };
}

/**
 * The channel and the thread for a reply. With `replyTo`, the reply goes to the thread of that message, and otherwise
 * to the thread of the address `to`.
 */
export function replyPlace(to: Address, replyTo: MessageRef | undefined): SlackPlace {
  const thread = replyTo ? (replyTo.thread ?? replyTo.message) : to.thread;
  return { channel: replyTo?.channel ?? to.channel, ...(thread === undefined ? {} : { thread }) };
}
