import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Filter {
  readonly field: string;
  readonly value: readonly string[];
}

/**
 * Starts a simulated Edgegap that has one application with `count` versions and answers at once. Every deployment that
 * the bot compares with Edgegap's list is ready. `calls` excludes these comparisons, because they are unrelated to
 * suggestions.
 */
export async function startCatalogEdgegap(count: number) {
  let calls = 0;
  const versions = Array.from({ length: count }, (_, index) => ({
    name: `v1.${index}`,
    is_active: index % 10 !== 0,
    create_time: new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString(),
  }));
  const applications = [{ name: 'kart-racing', is_active: true }];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://edgegap');
    const { filters = [] } = JSON.parse(searchParams.get('query') ?? '{}') as { filters?: Filter[] };
    const compared = filters.find(({ field }) => field === 'request_id')?.value;
    if (!compared) calls++;
    const data = (compared ?? []).map((request_id) => ({ request_id, ready: true, ports: {}, tags: [] }));
    const rows = {
      applications: pathname === '/v1/apps' ? applications : [],
      versions: pathname.endsWith('/versions') ? versions : [],
    };
    const body = { ...rows, locations: [], data, message: [], total_count: data.length };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
