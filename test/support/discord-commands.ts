import type { Messages } from './discord-messages.ts';
import { invalid } from './discord-rules.ts';
import { ApiProblem, ids } from './discord-world.ts';

type Json = Record<string, unknown>;

/** The registered application commands of each server. The key `global` is for commands that belong to no server. */
export class Commands {
  readonly #messages: Messages;
  readonly #scopes = new Map<string, Map<string, Json>>();

  constructor(messages: Messages) {
    this.#messages = messages;
  }

  list(guild: string | undefined): Json[] {
    return [...this.#scope(guild).values()];
  }

  /** A new command replaces the command with the same name and type ("Create Guild Application Command"). */
  create(guild: string | undefined, body: Json): { status: number; command: Json } {
    const scope = this.#scope(guild);
    const same = [...scope.values()].find(
      (command) => command.name === body.name && command.type === (body.type ?? 1),
    );
    checkCommand(body);
    const command = stored(body, same?.id ?? this.#messages.snowflake(), this.#messages.snowflake(), guild);
    scope.set(String(command.id), command);
    return { status: same ? 200 : 201, command };
  }

  patch(guild: string | undefined, id: string, body: Json): Json {
    const scope = this.#scope(guild);
    const before = scope.get(id);
    if (!before) throw unknown();
    const command = stored({ ...before, ...body }, id, this.#messages.snowflake(), guild);
    scope.set(id, command);
    return command;
  }

  remove(guild: string | undefined, id: string): void {
    if (!this.#scope(guild).delete(id)) throw unknown();
  }

  replaceAll(guild: string | undefined, bodies: readonly Json[]): Json[] {
    this.#scope(guild).clear();
    return bodies.map((body) => this.create(guild, body).command);
  }

  #scope(guild: string | undefined): Map<string, Json> {
    const key = guild ?? 'global';
    const scope = this.#scopes.get(key) ?? new Map<string, Json>();
    this.#scopes.set(key, scope);
    return scope;
  }
}

/**
 * The command as Discord returns it: with default values, without false values, with the permissions as text, and
 * without contexts if the command belongs to a server.
 */
function stored(body: Json, id: unknown, version: string, guild: string | undefined): Json {
  const permissions = body.default_member_permissions;
  return {
    id,
    application_id: ids.application,
    version,
    default_member_permissions:
      permissions === undefined || permissions === null ? null : String(permissions),
    type: body.type ?? 1,
    name: body.name,
    name_localizations: body.name_localizations ?? null,
    description: body.description ?? '',
    description_localizations: body.description_localizations ?? null,
    ...(guild === undefined
      ? {
          dm_permission: true,
          contexts: body.contexts ?? null,
          integration_types: body.integration_types ?? [0],
        }
      : { guild_id: guild, dm_permission: true, contexts: null, integration_types: [0] }),
    ...(Array.isArray(body.options) && body.options.length > 0
      ? { options: body.options.map((option: Json) => storedOption(option)) }
      : {}),
    nsfw: body.nsfw ?? false,
  };
}

function storedOption(option: Json): Json {
  const kept = Object.entries({
    name_localizations: null,
    description_localizations: null,
    ...option,
  }).filter(([name, value]) => !(['required', 'autocomplete'].includes(name) && value === false));
  // Discord returns the fields in a different order.
  return Object.fromEntries(kept.toSorted(([a], [b]) => a.localeCompare(b)));
}

/** Checks the rules that Discord's OpenAPI file does not contain ("Application Command Naming", "Message Commands"). */
function checkCommand({ type = 1, name, description = '', options = [] }: Json): void {
  const text = String(name);
  if (type === 1 && (!/^[-_\p{L}\p{N}]{1,32}$/u.test(text) || text !== text.toLowerCase()))
    invalid(`the name ${text} of a slash command`);
  if (type === 1 && description === '') invalid('a slash command needs a description');
  if (type !== 1 && (description !== '' || (options as unknown[]).length > 0))
    invalid('a command in a menu has no description and no options');
}

function unknown(): ApiProblem {
  return new ApiProblem(404, 10063, 'Unknown application command');
}
