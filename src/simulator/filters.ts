import { z } from 'zod';
import type { SimulatedDeployment, SimulatedPhase } from './deployment.ts';
import { RouteRefusal } from './refusal.ts';

/** A deployment in the list. The phase in the list may be older than the deployment's present phase. */
export interface Listed {
  readonly deployment: SimulatedDeployment;
  readonly phase: SimulatedPhase;
}

const EQ = ['eq', 'neq'];
const IN = ['in', 'nin'];

interface Field {
  /** The operators that the field accepts. */
  readonly operators: readonly string[];
  readonly values: (entry: Listed) => readonly string[];
}

const FIELDS: Readonly<Record<string, Field>> = {
  status: { operators: EQ, values: ({ phase }) => [phase] },
  application: { operators: [...EQ, ...IN], values: ({ deployment }) => [deployment.application] },
  version: { operators: [...EQ, ...IN], values: ({ deployment }) => [deployment.version] },
  tags: { operators: [...EQ, ...IN], values: ({ deployment }) => deployment.tags.map(({ name }) => name) },
  request_id: { operators: [...EQ, ...IN], values: ({ deployment }) => [deployment.request_id] },
  created_at: {
    operators: ['eq', 'gte', 'lte'],
    values: ({ deployment }) => [new Date(deployment.createdAt).toISOString()],
  },
  fleet_name: {
    operators: [...EQ, ...IN, 'ilike'],
    values: ({ deployment }) => extra(deployment, 'fleet_name'),
  },
  host_name: {
    operators: [...EQ, ...IN, 'ilike'],
    values: ({ deployment }) => extra(deployment, 'host_name'),
  },
};

const Query = z.strictObject({
  filters: z
    .array(
      z.strictObject({
        field: z.string(),
        operator: z.string(),
        value: z.union([z.string(), z.array(z.string())]),
      }),
    )
    .default([]),
  order_by: z.array(z.strictObject({ field: z.string(), order: z.enum(['asc', 'desc']) })).default([]),
});
type Filter = z.infer<typeof Query>['filters'][number];

/** Applies the parameter `query`, which is JSON text. If the query is invalid, the answer is 400. */
export function select(all: readonly Listed[], text: string | null): readonly Listed[] {
  const query = read(text ?? '{}');
  const tests = query.filters.map(toTest);
  const chosen = all.filter((entry) => tests.every((test) => test(entry)));
  // The sort is stable, so the rows are sorted by the last key first and by the first key last.
  for (const { field, order } of query.order_by.toReversed()) {
    const { values } = FIELDS[field] ?? {};
    if (!values) throw new RouteRefusal(400, `Cannot order by ${field}`);
    const sign = order === 'asc' ? 1 : -1;
    chosen.sort((a, b) => sign * compare(values(a)[0] ?? '', values(b)[0] ?? ''));
  }
  return chosen;
}

function read(text: string): z.infer<typeof Query> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new RouteRefusal(400, 'The query is not JSON');
  }
  const parsed = Query.safeParse(json);
  if (!parsed.success)
    throw new RouteRefusal(400, `The query is not valid: ${parsed.error.issues[0]?.message}`);
  const fields = parsed.data.filters.map((filter) => filter.field);
  if (new Set(fields).size < fields.length) throw new RouteRefusal(400, 'A field can have one filter only');
  return parsed.data;
}

function toTest({ field, operator, value }: Filter): (entry: Listed) => boolean {
  const { operators, values } = FIELDS[field] ?? {};
  if (!operators || !values) throw new RouteRefusal(400, `Cannot filter by ${field}`);
  if (!operators.includes(operator))
    throw new RouteRefusal(400, `${field} does not take the operator ${operator}`);
  if (Array.isArray(value) !== IN.includes(operator)) {
    throw new RouteRefusal(
      400,
      `${operator} takes ${Array.isArray(value) ? 'one value' : 'a list of values'}`,
    );
  }
  const wanted = [value].flat().map((item) => normal(field, item));
  const [first = ''] = wanted;
  const matches = {
    gte: (item: string) => item >= first,
    lte: (item: string) => item <= first,
    ilike: (item: string) => like(item, first),
  }[operator];
  if (matches) return (entry) => values(entry).some(matches);
  const isNegated = operator.startsWith('n');
  return (entry) => values(entry).some((item) => wanted.includes(item)) !== isNegated;
}

/**
 * Makes values comparable. `Status.READY`, `READY` and `ready` become the same value. A time may contain a space and
 * lack a time zone.
 */
function normal(field: string, value: string): string {
  if (field === 'status') return value.replace(/^Status\./i, '').toUpperCase();
  if (field !== 'created_at') return value;
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(value);
  const time = Date.parse(zoned || /^\d{4}-\d\d-\d\d$/.test(value) ? value : `${value.replace(' ', 'T')}Z`);
  if (Number.isNaN(time)) throw new RouteRefusal(400, 'created_at takes a time');
  return new Date(time).toISOString();
}

/** The part of SQL's ilike that the API supports. `%` is a wildcard for any text, and the case is ignored. */
function like(text: string, pattern: string): boolean {
  const parts = pattern.split('%').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'is').test(text);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function extra({ extras }: SimulatedDeployment, field: string): string[] {
  return [extras[field]].filter((value) => typeof value === 'string');
}
