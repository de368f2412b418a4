/** A city with simulated servers. `GET /v1/locations` lists the city, and deployments can be placed there. */
export interface City {
  readonly city: string;
  readonly country: string;
  readonly continent: string;
  readonly administrative_division: string;
  readonly timezone: string;
  readonly latitude: number;
  readonly longitude: number;
}

const USA = 'United States of America';

type Row = readonly [string, string, string, string, string, number, number];

const ROWS: readonly Row[] = [
  ['Montreal', 'Canada', 'North America', 'Quebec', 'America/Toronto', 45.5019, -73.5674],
  ['Toronto', 'Canada', 'North America', 'Ontario', 'America/Toronto', 43.6532, -79.3832],
  ['Vancouver', 'Canada', 'North America', 'British Columbia', 'America/Vancouver', 49.2827, -123.1207],
  ['New York City', USA, 'North America', 'New York', 'America/New_York', 40.7128, -74.006],
  ['Ashburn', USA, 'North America', 'Virginia', 'America/New_York', 39.0438, -77.4874],
  ['Miami', USA, 'North America', 'Florida', 'America/New_York', 25.7617, -80.1918],
  ['Atlanta', USA, 'North America', 'Georgia', 'America/New_York', 33.749, -84.388],
  ['Chicago', USA, 'North America', 'Illinois', 'America/Chicago', 41.8781, -87.6298],
  ['Dallas', USA, 'North America', 'Texas', 'America/Chicago', 32.7767, -96.797],
  ['Denver', USA, 'North America', 'Colorado', 'America/Denver', 39.7392, -104.9903],
  ['Los Angeles', USA, 'North America', 'California', 'America/Los_Angeles', 34.0522, -118.2437],
  ['Seattle', USA, 'North America', 'Washington', 'America/Los_Angeles', 47.6062, -122.3321],
  ['Querétaro', 'Mexico', 'North America', 'Querétaro', 'America/Mexico_City', 20.5888, -100.3899],
  ['São Paulo', 'Brazil', 'South America', 'São Paulo', 'America/Sao_Paulo', -23.5505, -46.6333],
  ['Santiago', 'Chile', 'South America', 'Santiago Metropolitan', 'America/Santiago', -33.4489, -70.6693],
  ['Bogotá', 'Colombia', 'South America', 'Bogotá', 'America/Bogota', 4.711, -74.0721],
  ['London', 'United Kingdom', 'Europe', 'England', 'Europe/London', 51.5072, -0.1276],
  ['Manchester', 'United Kingdom', 'Europe', 'England', 'Europe/London', 53.4808, -2.2426],
  ['Dublin', 'Ireland', 'Europe', 'Leinster', 'Europe/Dublin', 53.3498, -6.2603],
  ['Paris', 'France', 'Europe', 'Île-de-France', 'Europe/Paris', 48.8566, 2.3522],
  ['Marseille', 'France', 'Europe', "Provence-Alpes-Côte d'Azur", 'Europe/Paris', 43.2965, 5.3698],
  ['Amsterdam', 'Netherlands', 'Europe', 'North Holland', 'Europe/Amsterdam', 52.3676, 4.9041],
  ['Frankfurt', 'Germany', 'Europe', 'Hesse', 'Europe/Berlin', 50.1109, 8.6821],
  ['Madrid', 'Spain', 'Europe', 'Community of Madrid', 'Europe/Madrid', 40.4168, -3.7038],
  ['Milan', 'Italy', 'Europe', 'Lombardy', 'Europe/Rome', 45.4642, 9.19],
  ['Stockholm', 'Sweden', 'Europe', 'Stockholm County', 'Europe/Stockholm', 59.3293, 18.0686],
  ['Helsinki', 'Finland', 'Europe', 'Uusimaa', 'Europe/Helsinki', 60.1699, 24.9384],
  ['Warsaw', 'Poland', 'Europe', 'Masovia', 'Europe/Warsaw', 52.2297, 21.0122],
  ['Istanbul', 'Türkiye', 'Europe', 'Istanbul', 'Europe/Istanbul', 41.0082, 28.9784],
  ['Johannesburg', 'South Africa', 'Africa', 'Gauteng', 'Africa/Johannesburg', -26.2041, 28.0473],
  ['Lagos', 'Nigeria', 'Africa', 'Lagos', 'Africa/Lagos', 6.5244, 3.3792],
  ['Dubai', 'United Arab Emirates', 'Asia', 'Dubai', 'Asia/Dubai', 25.2048, 55.2708],
  ['Mumbai', 'India', 'Asia', 'Maharashtra', 'Asia/Kolkata', 19.076, 72.8777],
  ['Chennai', 'India', 'Asia', 'Tamil Nadu', 'Asia/Kolkata', 13.0827, 80.2707],
  ['Singapore', 'Singapore', 'Asia', 'Singapore', 'Asia/Singapore', 1.3521, 103.8198],
  ['Jakarta', 'Indonesia', 'Asia', 'Jakarta', 'Asia/Jakarta', -6.2088, 106.8456],
  ['Hong Kong', 'Hong Kong', 'Asia', 'Hong Kong', 'Asia/Hong_Kong', 22.3193, 114.1694],
  ['Taipei', 'Taiwan', 'Asia', 'Taipei', 'Asia/Taipei', 25.033, 121.5654],
  ['Seoul', 'South Korea', 'Asia', 'Seoul', 'Asia/Seoul', 37.5665, 126.978],
  ['Tokyo', 'Japan', 'Asia', 'Tokyo', 'Asia/Tokyo', 35.6762, 139.6503],
  ['Osaka', 'Japan', 'Asia', 'Osaka', 'Asia/Tokyo', 34.6937, 135.5023],
  ['Sydney', 'Australia', 'Oceania', 'New South Wales', 'Australia/Sydney', -33.8688, 151.2093],
  ['Melbourne', 'Australia', 'Oceania', 'Victoria', 'Australia/Melbourne', -37.8136, 144.9631],
  ['Auckland', 'New Zealand', 'Oceania', 'Auckland', 'Pacific/Auckland', -36.8509, 174.7645],
];

export const defaultCities: readonly City[] = ROWS.map(
  ([city, country, continent, administrative_division, timezone, latitude, longitude]) => ({
    city,
    country,
    continent,
    administrative_division,
    timezone,
    latitude,
    longitude,
  }),
);
