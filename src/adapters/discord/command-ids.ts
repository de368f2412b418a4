import { type Clock, steadyNow } from '../../clock.ts';
import type { Logger } from '../../log.ts';

/** How long the ids of a server are cached before the bot asks Discord again, in milliseconds. */
const AGAIN_MS = 10 * 60_000;

export type CommandIds = ReturnType<typeof createCommandIds>;

/** The ids of slash commands, by name. A command has a different id in each server. */
export type IdsByName = ReadonlyMap<string, string>;

/**
 * Caches the ids of the slash commands. A message needs the id of a command to link to the command. If an id is
 * unknown, the ids are read in the background, and the message is sent without the link.
 */
export function createCommandIds(parts: {
  readonly read: (guild: string) => Promise<IdsByName>;
  readonly guilds: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}) {
  const { read, guilds, clock, log } = parts;
  const known = new Map<string, Map<string, string>>();
  const asked = new Map<string, number>();

  async function refresh(guild: string): Promise<void> {
    const now = steadyNow(clock);
    if (!guilds.includes(guild) || now - (asked.get(guild) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    asked.set(guild, now);
    try {
      note(guild, await read(guild));
    } catch (err) {
      log.warn(
        { guild, err },
        'discord: the ids of the commands cannot be read, so hints do not link to commands',
      );
    }
  }

  function note(guild: string, ids: IdsByName): void {
    known.set(guild, new Map([...(known.get(guild) ?? []), ...ids]));
  }

  return {
    /** Stores ids from a response of Discord. */
    note,
    /** The id of a command. Undefined if the id is not known yet. */
    of(guild: string, command: string): string | undefined {
      const id = known.get(guild)?.get(command);
      if (id === undefined) void refresh(guild);
      return id;
    },
  };
}
