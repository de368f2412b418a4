import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Filter {
  readonly field: string;
  readonly value: readonly string[];
}

/**
 * Starts a simulated Edgegap with these deployments, all of them ready. The usual simulator's list takes longer for
 * many deployments than for few. The list of this simulated Edgegap always takes equally long, so that a bench measures
 * only the bot.
 */
export async function startListedEdgegap(ids: readonly string[]) {
  const lists: { readonly forPeople: boolean }[] = [];
  const all = new Set(ids);
  const page = (data: readonly object[], number: number, pages: number, total_count: number) => {
    const pagination = { number, has_next: number < pages, paginator: { num_pages: pages } };
    return { applications: [], versions: [], locations: [], data, message: [], total_count, pagination };
  };
  const list = (search: URLSearchParams) => {
    const { filters = [] } = JSON.parse(search.get('query') ?? '{}') as { filters?: Filter[] };
    const named = filters.find(({ field }) => field === 'request_id')?.value;
    lists.push({ forPeople: named === undefined });
    const found = named?.filter((id) => all.has(id)) ?? ids;
    const limit = Number(search.get('limit') ?? 10);
    const number = Number(search.get('page') ?? 1);
    const rows = found.slice((number - 1) * limit, number * limit).map(row);
    return page(rows, number, Math.ceil(found.length / limit), found.length);
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://edgegap');
    const body = pathname === '/v1/deployments' ? list(searchParams) : page([], 1, 1, 0);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The list calls so far. A call that contains request_ids is a comparison by the bot. */
    lists,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function row(request_id: string) {
  const fqdn = `${request_id}.pr.edgegap.net`;
  return {
    request_id,
    fqdn,
    ready: true,
    start_time: '2026-03-03 16:02:09.360719',
    public_ip: '198.51.100.1',
    ports: {
      gameport: {
        name: 'gameport',
        link: `${fqdn}:31504`,
        internal: 7777,
        external: 31_504,
        protocol: 'UDP',
        tls_upgrade: false,
      },
    },
    tags: ['qa'],
  };
}
