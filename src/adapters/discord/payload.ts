import type { RawFile } from '@discordjs/rest';
import { MessageFlags } from 'discord-api-types/v10';
import type { CardFile, Message, Node, Rich } from '../../chat/card.ts';
import { limits } from './limits.ts';
import { isSnowflake } from './markdown.ts';
import { markerOf } from './marker.ts';
import { renderMessage } from './render.ts';

export type Payload = ReturnType<typeof payloadOf>;

/**
 * The body and the files of a request that shows a message. With a `key`, `findByMarker` can find the message later.
 */
export function payloadOf(message: Message, key?: string) {
  const files = message.kind === 'card' ? filesOf(message.files ?? []) : [];
  const names = files.map((file) => file.name);
  return {
    body: {
      flags: MessageFlags.IsComponentsV2,
      components: [renderMessage(message, names, key === undefined ? undefined : markerOf(key))],
      // Text alone never pings a person. Only a mention object in the message does.
      allowed_mentions: { parse: [], users: mentionsOf(message), replied_user: false },
      // An edit removes every file that is not named here.
      attachments: files.map((file, i) => ({ id: String(i), filename: file.name })),
    },
    files,
  };
}

function filesOf(files: readonly CardFile[]): RawFile[] {
  if (files.length > limits.files) throw new Error(`${files.length} files; Discord allows ${limits.files}`);
  const room = Math.min(
    limits.fileBytes,
    Math.floor(limits.requestBytes / Math.max(1, files.length)) - 64 * 1024,
  );
  const taken = new Set<string>();
  return files.map((file) => {
    const name = freeName(fileName(file.name), taken);
    return { name, data: shortened(file, room), contentType: file.type };
  });
}

/**
 * Replaces characters that Discord would change in a file's name. With a changed name, `attachment://` would not find
 * the file.
 */
function fileName(name: string): string {
  const safe = name
    .replace(/[^\w.-]+/g, '_')
    .replace(/^\.+/, '')
    .slice(-100);
  return safe === '' ? 'file.txt' : safe;
}

function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let i = 2; taken.has(free); i++) free = `${i}-${name}`;
  taken.add(free);
  return free;
}

/**
 * Cuts a text file that is too big. Keeps as many whole lines of the end as fit. A new first line says that the
 * beginning is missing.
 */
function shortened({ name, type, bytes }: CardFile, room: number): Buffer {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (content.length <= room) return content;
  if (!type.startsWith('text/')) throw new Error(`${name}: ${content.length} bytes; Discord allows ${room}`);
  const notice = Buffer.from('[the beginning is cut: larger than Discord takes]\n');
  const rest = content.subarray(content.length - room + notice.length);
  return Buffer.concat([notice, rest.subarray(rest.indexOf(0x0a) + 1)]);
}

function richOf(node: Node): Rich {
  if (node.kind === 'text' || node.kind === 'note') return node.text;
  return node.kind === 'fields' ? node.fields.flatMap(({ value }) => value) : [];
}

function mentionsOf(message: Message): string[] {
  const inlines =
    message.kind === 'line' ? message.text : [message.title, ...message.nodes.map(richOf)].flat();
  const ids = inlines.flatMap((inline) =>
    typeof inline === 'object' && 'mention' in inline && isSnowflake(inline.mention) ? [inline.mention] : [],
  );
  return [...new Set(ids)];
}
