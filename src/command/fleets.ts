/*
 * The names of private fleets. No endpoint of Edgegap lists fleets, so the bot remembers the names of fleets that
 * exist.
 */
import { bestNames } from './best-matches.ts';
import type { Payloads } from './payloads.ts';

const NAME = 'fleets';
/** How many names are remembered. Discord offers 25 suggestions to a person who is typing. */
const MOST = 25;

interface Remembered {
  readonly payloads: Payloads;
  readonly settings: { readonly fleets: readonly string[] };
}

/** The names from the settings, followed by the names that people used before. The latest of these comes first. */
export async function knownFleets({ settings, payloads }: Remembered): Promise<string[]> {
  return [...new Set([...settings.fleets, ...(await payloads.names(NAME))])];
}

export async function suggestFleets({ typed, ...remembered }: Remembered & { readonly typed: string }) {
  return bestNames(typed, await knownFleets(remembered));
}

/** Remembers the name of a fleet that exists, for as long as the payloads of buttons are kept. */
export async function rememberFleet(
  { payloads }: Pick<Remembered, 'payloads'>,
  fleet: string,
): Promise<void> {
  const others = (await payloads.names(NAME)).filter((one) => one !== fleet);
  await payloads.keepNames(NAME, [fleet, ...others].slice(0, MOST));
}
