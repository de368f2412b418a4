import { expect, test } from 'vitest';
import { findLocation } from '../../src/command/kinds/location.ts';
import type { Catalog } from '../../src/deployments/catalog.ts';
import type { Location } from '../../src/edgegap/schema.ts';

const place = (city: string, administrative_division: string, country: string) =>
  ({ city, administrative_division, country, latitude: 1, longitude: 2 }) as Location;
const PLACES = [
  place('New York City', 'New York', 'United States of America'),
  place('San Francisco', 'California', 'United States of America'),
  place('San José', 'San José', 'Costa Rica'),
  place('São Paulo', 'São Paulo', 'Brazil'),
  place('Paris', 'Île-de-France', 'France'),
  place('Łódź', 'Łódź Voivodeship', 'Poland'),
  place('Tromsø', 'Troms', 'Norway'),
  place('Đà Nẵng', 'Đà Nẵng', 'Việt Nam'),
  place("St. John's", 'Newfoundland and Labrador', 'Canada'),
  place('Frankfurt am Main', 'Hesse', 'Germany'),
  place('Oslo', 'Oslo', 'Norway'),
  place('Ösló', 'Elsewhere', 'Nowhere'),
];
const catalog: Catalog = {
  applications: async () => [],
  versions: async () => [],
  locations: async () => PLACES,
  hosts: async () => [],
  seen: {
    applications: () => ({ rows: [], asOf: undefined }),
    versions: () => ({ rows: [], asOf: undefined }),
    locations: () => ({ rows: PLACES, asOf: undefined }),
    hosts: () => ({ rows: [], asOf: undefined }),
  },
  lastSeen: () => [],
};

test.each([
  ['New York', 'New York City'],
  ['new york, United States of America', 'New York City'],
  ['sao', 'São Paulo'],
  ['Paris', 'Paris'],
  ['Lodz', 'Łódź'],
  ['LODZ, poland', 'Łódź'],
  ['Tromso', 'Tromsø'],
  ['Da Nang, Viet Nam', 'Đà Nẵng'],
  ['danang', 'Đà Nẵng'],
  ['St. John’s', "St. John's"],
  ['newyork', 'New York City'],
  ['Frankfurt', 'Frankfurt am Main'],
  ['Oslo', 'Oslo'],
])('the city for the typed location %s is found', async (name, city) => {
  expect(await findLocation(catalog, name)).toMatchObject({ city });
});

test.each([
  ['oslo', 'location-ambiguous', /Say which: "Oslo, .* or "Ösló, /],
  ['San', 'location-ambiguous', /Say which: "San Francisco, .* or "San José, /],
  ['sa', 'location-unknown', /Did you mean San Francisco or San José or São Paulo\?/],
  ['Par', 'location-unknown', /Did you mean Paris\?/],
  ['New York, Canada', 'location-unknown', /Did you mean New York City\?/],
  ['Atlantis', 'location-unknown', /There are: Frankfurt am Main, New York City/],
  ['Tromsoo', 'location-unknown', /Did you mean Tromsø\?/],
])('the typed location %s is refused, and similar locations are suggested', async (name, code, hint) => {
  await expect(findLocation(catalog, name)).rejects.toMatchObject({
    code,
    hint: expect.stringMatching(hint),
  });
});
