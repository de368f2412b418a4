/*
 * Suggestions whose data comes from Edgegap. The bot makes these suggestions from cached data, without waiting for
 * Edgegap.
 */
import type { Choice } from '../chat/card.ts';
import { roughly } from '../deployments/card.ts';
import type { Seen } from '../deployments/catalog.ts';
import type { Location } from '../edgegap/schema.ts';
import { bestMatches, bestNames, MOST_SUGGESTIONS } from './best-matches.ts';
import type { SuggestionContext } from './kinds/kind.ts';
import type { Running } from './roster.ts';
import { searchKey } from './same-name.ts';

type Suggest = (about: SuggestionContext) => Promise<readonly (string | Choice)[]>;

/**
 * Suggests applications or versions. An inactive application or version is marked as inactive. The inactive suggestions
 * come last if the command needs an active application or version.
 */
export function offerNamed(
  { typed, clock }: SuggestionContext,
  { rows, asOf }: Seen<{ readonly name: string; readonly is_active: boolean }>,
  orInactive: true | undefined,
): Choice[] {
  const isActive = ({ is_active }: { readonly is_active: boolean }) => is_active;
  const ordered = orInactive ? rows : [...rows.filter(isActive), ...rows.filter((one) => !isActive(one))];
  return bestMatches(typed, ordered, ({ name }) => searchKey(name)).map(({ name, is_active }) => ({
    label: name,
    value: name,
    ...details(is_active ? undefined : 'inactive', asOfText(asOf, clock.now())),
  }));
}

/** Suggests the running deployments. Deployments from this channel come first. */
export async function offerRunning({ typed, at, roster, clock }: SuggestionContext): Promise<Choice[]> {
  const { rows, asOf } = await roster.running();
  const here: Running[] = [];
  const elsewhere: Running[] = [];
  for (const one of rows) {
    const { platform, workspace, channel } = one.at ?? {};
    const isHere = platform === at.platform && workspace === at.workspace && channel === at.channel;
    (isHere ? here : elsewhere).push(one);
  }
  const found = [here, elsewhere].flatMap((some) => bestMatches(typed, some, ({ key }) => key));
  const now = clock.now();
  const offered = found.slice(0, MOST_SUGGESTIONS).map((one) => ({ one, label: labelOf(one, now) }));
  const times = Map.groupBy(offered, ({ label }) => label);
  return offered.map(({ one, label }) => {
    // If several deployments have equal labels, the suggestion also shows the request_id.
    const id = (times.get(label)?.length ?? 0) > 1 ? one.request_id : undefined;
    return { label, value: one.request_id, ...details(id, asOfText(asOf(one), now)) };
  });
}

/** The label of a running deployment, for example `kart-racing v1.2 · Montreal · Ready · 3 min`. */
function labelOf({ name, request_id, city, status, begunAt }: Running, now: number): string {
  const age = begunAt === undefined ? '' : roughly(Math.max(0, now - begunAt));
  return [name || request_id, city, status, age].filter((part) => part).join(' · ');
}

/** Suggests the tags of the running deployments. The tags of the newest deployment come first. */
export async function offerTags({ typed, roster }: SuggestionContext): Promise<string[]> {
  const { rows } = await roster.running();
  return bestNames(typed, new Set(rows.flatMap(({ tags }) => tags)));
}

/**
 * Suggests the tags of the deployment that the option `deployment` names. If no running deployment has this request_id,
 * suggests the tags of all running deployments.
 */
export async function offerOwnTags(about: SuggestionContext): Promise<string[]> {
  const { rows } = await about.roster.running();
  const own = rows.find(({ request_id }) => request_id === about.given.deployment);
  return own ? bestNames(about.typed, own.tags) : await offerTags(about);
}

/**
 * Suggests the cities. If a city's name is unique, the value is this name. If not, the value is the result of `nameOf`.
 */
export function offerCities(
  { typed, catalog, clock }: SuggestionContext,
  nameOf: (place: Location) => string,
): Choice[] {
  const { rows, asOf } = catalog.seen.locations();
  // Edgegap may list a city several times, once for each data centre.
  const places = [...new Map(rows.map((one) => [nameOf(one), one])).entries()];
  const cities = Map.groupBy(places, ([, { city }]) => city);
  return bestMatches(typed, places, ([name]) => searchKey(name)).map(([label, { city }]) => ({
    label,
    value: city && cities.get(city)?.length === 1 ? city : label,
    ...details(asOfText(asOf, clock.now())),
  }));
}

/**
 * Makes suggestions for an option that takes several values. Each suggestion completes the last value and keeps the
 * earlier values unchanged.
 */
export function offeringLast(separators: string, suggest: Suggest): Suggest {
  return async (about) => {
    const end = Math.max(...[...separators].map((one) => about.typed.lastIndexOf(one))) + 1;
    const typed = about.typed.slice(end).trimStart();
    const before = about.typed.slice(0, about.typed.length - typed.length);
    const offered = await suggest({ ...about, typed });
    return offered.map((one) => {
      const { label, value, ...more } = typeof one === 'string' ? { label: one, value: one } : one;
      return { label: before + label, value: before + value, ...more };
    });
  };
}

/** A text such as `as of 14:05 UTC`, which shows the age of the data. Undefined if the data is recent. */
function asOfText(asOf: number | undefined, now: number): string | undefined {
  if (asOf === undefined) return undefined;
  const [day, time] = new Date(asOf).toISOString().split('T');
  const today = new Date(now).toISOString().startsWith(day ?? '');
  return `as of ${today ? '' : `${day} `}${time?.slice(0, 5)} UTC`;
}

function details(...parts: readonly (string | undefined)[]): { detail?: string } {
  const detail = parts.filter((part) => part !== undefined).join(', ');
  return detail === '' ? {} : { detail };
}
