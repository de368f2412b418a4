/* Names of private fleets. No endpoint of Edgegap lists fleets, so the bot remembers which names were good. */
import type { Payloads } from './payloads.ts';

const NAME = 'fleets';
/** As many as Discord offers to a person who is typing. */
const MOST = 25;

interface Remembered {
  readonly payloads: Payloads;
  readonly settings: { readonly fleets: readonly string[] };
}

/** Those of the settings, then those that were used before, the latest first. */
export async function knownFleets({ settings, payloads: kept }: Remembered): Promise<string[]> {
  return [...new Set([...settings.fleets, ...(await kept.names(NAME))])];
}

/** Keeps the name of a fleet that exists, for as long as the state of buttons is kept. */
export async function rememberFleet(
  { payloads: kept }: Pick<Remembered, 'payloads'>,
  fleet: string,
): Promise<void> {
  const others = (await kept.names(NAME)).filter((one) => one !== fleet);
  await kept.keepNames(NAME, [fleet, ...others].slice(0, MOST));
}
