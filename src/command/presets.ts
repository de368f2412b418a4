import type { Selectable } from 'kysely';
import type { Address, SuggestionRequest } from '../chat/port.ts';
import type { PresetsTable, Store } from '../store/schema.ts';

/** The maximum number of presets in a Discord server or Slack workspace. */
export const MOST_PRESETS = 200;

/** A named set of options of `deploy`. */
export interface Preset {
  readonly name: string;
  /** The values as a person would type them. The bot checks the values again at each use of the preset. */
  readonly options: SuggestionRequest['given'];
  readonly savedBy: string;
  /** Epoch milliseconds. */
  readonly savedAt: number;
}

export type Presets = ReturnType<typeof createPresets>;

/** The presets of an account. Each Discord server and each Slack workspace has presets of its own. */
export function createPresets(store: Store, account: string) {
  const keyOf = ({ platform, workspace }: Address) => ({ account, platform, workspace });
  const within = (at: Address) =>
    store
      .selectFrom('presets')
      .selectAll()
      .where((eb) => eb.and(keyOf(at)));
  return {
    /** All presets of the server or workspace, sorted by name. */
    async all(at: Address): Promise<Preset[]> {
      const rows = await within(at).execute();
      return rows.map(presetOf).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    async get(at: Address, name: string): Promise<Preset | undefined> {
      const row = await within(at).where('name', '=', name).executeTakeFirst();
      return row && presetOf(row);
    },
    /** Stores the preset. Returns false if a preset with this name exists and `replace` is false. */
    async save(at: Address, { name, options, savedBy, savedAt }: Preset, replace: boolean): Promise<boolean> {
      const values = { options_json: JSON.stringify(options), saved_by: savedBy, saved_at: savedAt };
      const { numInsertedOrUpdatedRows = 0n } = await store
        .insertInto('presets')
        .values({ ...keyOf(at), name, ...values })
        .onConflict((conflict) => {
          const same = conflict.columns(['account', 'platform', 'workspace', 'name']);
          return replace ? same.doUpdateSet(values) : same.doNothing();
        })
        .executeTakeFirst();
      return numInsertedOrUpdatedRows > 0n;
    },
    async delete(at: Address, name: string): Promise<void> {
      const own = store.deleteFrom('presets').where((eb) => eb.and({ ...keyOf(at), name }));
      await own.execute();
    },
  };
}

function presetOf({ name, options_json, saved_by, saved_at }: Selectable<PresetsTable>): Preset {
  return { name, options: JSON.parse(options_json), savedBy: saved_by, savedAt: saved_at };
}
