import type { City } from './cities.ts';
import { hashNumber } from './identity.ts';

type Point = Pick<City, 'latitude' | 'longitude'>;

export type Player = { readonly ip_address: string } | Point;

/** Returns the city with the smallest sum of distances to all players. */
export function nearest(players: readonly Player[], cities: readonly City[]): City {
  const points = players.map((player) =>
    'ip_address' in player ? homeOf(player.ip_address, cities) : player,
  );
  const [first] = cities
    .map((city) => ({ city, total: points.reduce((sum, point) => sum + distance(point, city), 0) }))
    .sort((a, b) => a.total - b.total);
  if (!first) throw new Error('The catalog has no cities');
  return first.city;
}

/**
 * Returns the city of a player. The simulator cannot locate addresses, so it assigns a city to each address. An address
 * always gets the same city.
 */
function homeOf(address: string, cities: readonly City[]): Point {
  return cities[hashNumber(`player:${address}`) % cities.length] ?? { latitude: 0, longitude: 0 };
}

/** The great-circle distance in kilometres. */
function distance(a: Point, b: Point): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const half =
    Math.sin(radians(b.latitude - a.latitude) / 2) ** 2 +
    Math.cos(radians(a.latitude)) *
      Math.cos(radians(b.latitude)) *
      Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.min(1, Math.sqrt(half)));
}
