import { pino } from 'pino';
import { buildApp } from '../../src/app.ts';
import type { Message } from '../../src/chat/card.ts';
import type { Form } from '../../src/chat/form.ts';
import type {
  FormAbilities,
  Inbox,
  InvocationRequest,
  MessageRef,
  SuggestionRequest,
} from '../../src/chat/port.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { MemoryChat } from '../notify/memory-chat.ts';

const AT = { platform: 'memory', workspace: 'bench', channel: 'bench' };
const PERSON = { id: 'ann', name: 'ann', home: true, guest: false, admin: true, groups: [] };

/**
 * A whole bot with these settings, on a chat in memory. One person sends all requests, and the number of requests per
 * person is unlimited.
 */
export async function startMemoryBot(
  settings: Readonly<Record<string, string | undefined>>,
  clock: Clock = systemClock,
  {
    personId = PERSON.id,
    prompt,
    forms,
  }: {
    readonly personId?: string;
    /** The text before the name of a command, as people type it: see `Invocation.prompt`. */
    readonly prompt?: string;
    /** The features of the chat's forms. If absent, the chat has no forms. */
    readonly forms?: FormAbilities;
  } = {},
) {
  const chat = new MemoryChat();
  let inbox: Inbox | undefined;
  let opened: Form | undefined;
  const adapter = chat.adapter({
    ...(forms ? { supports: { forms } } : {}),
    start: async (given) => {
      inbox = given;
    },
  });
  const app = await buildApp({
    config: readConfig({
      PERSON_REQUESTS: '0',
      // The limit is so high that no bench reaches it, but the deploys are counted as usual.
      MAX_DEPLOYS_PER_HOUR: '100000',
      CONFIRM_DEPLOY: 'never',
      ...settings,
      PORT: '0',
    }),
    clock,
    log: pino({ level: 'silent' }),
    access: { memory: { operators: undefined, readers: undefined, readersByDefault: 'operators' } },
    adapters: () => [adapter],
    loopback: true,
  });
  await app.start();
  async function invoke(id: string, request: InvocationRequest): Promise<Message | undefined> {
    let card: MessageRef | undefined;
    let last: Message | undefined;
    const show = (message: Message): MessageRef => {
      last = message;
      card ??= chat.add(message, AT);
      return card;
    };
    const respond = async (message: Message): Promise<void> => void show(message);
    await inbox?.invoke({
      id,
      adapter,
      at: AT,
      request,
      ...(prompt === undefined ? {} : { prompt }),
      ...(forms && request.kind !== 'form'
        ? {
            openForm: async (form) => {
              opened = await form;
            },
          }
        : {}),
      person: async () => ({ ...PERSON, id: personId }),
      refuse: respond,
      acknowledge: async () => undefined,
      respond,
      respondPrivately: respond,
      postCard: async (message) => show(message),
      reply: (mode) => ({ id, mode }),
    });
    return last;
  }
  return {
    app,
    chat,
    /** The form that was opened last. */
    opened: () => opened,
    stop: () => app.stop(),
    warmed: () => app.warmed(),
    /** The suggestions for a person who has typed `typed` for this option. */
    async suggest(command: string, option: string, typed: string, given: SuggestionRequest['given'] = {}) {
      const asked = { at: AT, command, subcommand: undefined, option, typed, given };
      return (await inbox?.suggest({ ...asked, person: async () => PERSON })) ?? [];
    },
    /**
     * Resolves with the last message when the request has been carried out. `id` is the platform's id of the
     * invocation.
     */
    invoke,
    /** Does the same as `command` for a typed line. */
    say(id: string, line: string): Promise<Message | undefined> {
      const [command = '', ...rest] = line.split(' ');
      return invoke(id, { kind: 'command', command, args: { kind: 'text', text: rest.join(' ') } });
    },
  };
}
