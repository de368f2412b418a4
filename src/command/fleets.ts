/*
 * The names of private fleets. No endpoint of Edgegap lists fleets, so the bot stores the names of existing fleets that
 * people have used.
 */
import { bestNames } from './best-matches.ts';
import type { Payloads } from './payloads.ts';

const NAME = 'fleets';
/** The bot stores at most this many names, because Discord shows at most 25 suggestions. */
const MOST = 25;

interface Remembered {
  readonly payloads: Payloads;
  readonly settings: { readonly fleets: readonly string[] };
}

/**
 * The names from the settings, followed by the names that people used before. The most recently used name comes first.
 */
export async function knownFleets({ settings, payloads }: Remembered): Promise<string[]> {
  return [...new Set([...settings.fleets, ...(await payloads.names(NAME))])];
}

export async function suggestFleets({ typed, ...remembered }: Remembered & { readonly typed: string }) {
  return bestNames(typed, await knownFleets(remembered));
}

/** Stores the name of an existing fleet. The name is kept as long as the payload of a button. */
export async function rememberFleet(
  { payloads }: Pick<Remembered, 'payloads'>,
  fleet: string,
): Promise<void> {
  const others = (await payloads.names(NAME)).filter((one) => one !== fleet);
  await payloads.keepNames(NAME, [fleet, ...others].slice(0, MOST));
}
