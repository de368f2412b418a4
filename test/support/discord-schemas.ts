import * as spec from 'discord-api-spec/zod';

interface Schema {
  safeParse(value: unknown): { success: boolean; data?: unknown; error?: { message: string } };
}

/** The fields that discord.js adds to edits, although the specification does not contain these fields. */
const TOLERATED = new Set(['tts', 'enforce_nonce']);

const routes: readonly [method: string, path: RegExp, schema: Schema][] = [
  ['POST', /^\/channels\/\d+\/messages$/, spec.MessageCreateRequestSchema],
  ['PATCH', /^\/channels\/\d+\/messages\/\d+$/, spec.MessageEditRequestPartialSchema],
  ['PATCH', /^\/channels\/\d+$/, spec.UpdateThreadRequestPartialSchema],
  ['PATCH', /^\/webhooks\/\d+\/[^/]+\/messages\/[^/]+$/, spec.IncomingWebhookUpdateRequestPartialSchema],
  ['POST', /^\/webhooks\/\d+\/[^/]+$/, spec.IncomingWebhookRequestPartialSchema],
  ['POST', /^\/users\/@me\/channels$/, spec.CreatePrivateChannelRequestSchema],
  ['POST', /^\/applications\/\d+(\/guilds\/\d+)?\/commands$/, spec.ApplicationCommandCreateRequestSchema],
  [
    'PATCH',
    /^\/applications\/\d+(\/guilds\/\d+)?\/commands\/\d+$/,
    spec.ApplicationCommandPatchRequestPartialSchema,
  ],
];

const callbacks: Readonly<Record<number, Schema>> = {
  4: spec.CreateMessageInteractionCallbackRequestSchema,
  5: spec.CreateMessageInteractionCallbackRequestSchema,
  6: spec.UpdateMessageInteractionCallbackRequestSchema,
  7: spec.UpdateMessageInteractionCallbackRequestSchema,
  8: spec.ApplicationCommandAutocompleteCallbackRequestSchema,
  9: spec.ModalInteractionCallbackRequestSchema,
};

/**
 * Checks a request body against the vendor's OpenAPI file. The schemas silently remove unknown fields, so the result is
 * compared with the input. Returns the problem, or undefined.
 */
export function violationOf(method: string, path: string, body: unknown): string | undefined {
  if (method === 'GET' || method === 'DELETE') return undefined;
  const schema = schemaFor(method, path, body);
  if (!schema) return `${method} ${path}: no such request in the specification`;
  const { success, data, error } = schema.safeParse(body);
  if (!success) return `${method} ${path}: ${error?.message}`;
  const extra = extraFields(body, data).filter((field) => !(method === 'PATCH' && TOLERATED.has(field)));
  return extra.length > 0 ? `${method} ${path}: unknown fields ${extra.join(', ')}` : undefined;
}

function schemaFor(method: string, path: string, body: unknown): Schema | undefined {
  if (method === 'POST' && /^\/interactions\/\d+\/[^/]+\/callback$/.test(path))
    return callbacks[(body as { type?: number } | undefined)?.type ?? 0];
  if (method === 'PUT' && /^\/applications\/\d+(\/guilds\/\d+)?\/commands$/.test(path)) return everyCommand;
  return routes.find(([wanted, pattern]) => wanted === method && pattern.test(path))?.[2];
}

/** A bulk overwrite has a list of commands as its body. */
const everyCommand: Schema = {
  safeParse(value) {
    if (!Array.isArray(value)) return { success: false, error: { message: 'not a list' } };
    const results = value.map((item) => spec.ApplicationCommandUpdateRequestSchema.safeParse(item));
    const failed = results.find((result) => !result.success);
    return failed
      ? { success: false, error: { message: String(failed.error?.message) } }
      : { success: true, data: results.map((result) => result.data) };
  },
};

function extraFields(sent: unknown, kept: unknown, path = ''): string[] {
  if (Array.isArray(sent)) {
    const items = Array.isArray(kept) ? kept : [];
    return sent.flatMap((item, i) => extraFields(item, items[i], `${path}[${i}]`));
  }
  if (typeof sent !== 'object' || sent === null) return [];
  const known = typeof kept === 'object' && kept !== null ? (kept as Record<string, unknown>) : {};
  return Object.entries(sent).flatMap(([name, value]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return name in known ? extraFields(value, known[name], at) : [at];
  });
}
