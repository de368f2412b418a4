import { z } from 'zod';
import type { Phase, SimulatedDeployment } from './deployment.ts';
import { Refusal } from './refusal.ts';

/** A deployment as the list sees it: its phase may be older than the deployment's own. */
export interface Listed {
  readonly deployment: SimulatedDeployment;
  readonly phase: Phase;
}

const EQ = ['eq', 'neq'];
const IN = ['in', 'nin'];

/** Which operators each field takes. */
const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  status: EQ,
  application: [...EQ, ...IN],
  version: [...EQ, ...IN],
  tags: [...EQ, ...IN],
  request_id: [...EQ, ...IN],
  created_at: ['eq', 'gte', 'lte'],
  fleet_name: [...EQ, ...IN, 'ilike'],
  host_name: [...EQ, ...IN, 'ilike'],
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

/** Applies the JSON text of the `query` parameter; what it cannot mean is a 400. */
export function select(all: readonly Listed[], text: string | null): readonly Listed[] {
  const query = read(text ?? '{}');
  const tests = query.filters.map(toTest);
  const chosen = all.filter((entry) => tests.every((test) => test(entry)));
  // The first key decides, so it is sorted by last; sorting is stable.
  for (const { field, order } of query.order_by.toReversed()) {
    if (!(field in OPERATORS)) throw new Refusal(400, `Cannot order by ${field}`);
    const sign = order === 'asc' ? 1 : -1;
    chosen.sort((a, b) => sign * compare(values(a, field)[0] ?? '', values(b, field)[0] ?? ''));
  }
  return chosen;
}

function read(text: string): z.infer<typeof Query> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Refusal(400, 'The query is not JSON');
  }
  const parsed = Query.safeParse(json);
  if (!parsed.success) throw new Refusal(400, `The query is not valid: ${parsed.error.issues[0]?.message}`);
  const fields = parsed.data.filters.map((filter) => filter.field);
  if (new Set(fields).size < fields.length) throw new Refusal(400, 'A field can have one filter only');
  return parsed.data;
}

function toTest({ field, operator, value }: Filter): (entry: Listed) => boolean {
  const operators = OPERATORS[field];
  if (!operators) throw new Refusal(400, `Cannot filter by ${field}`);
  if (!operators.includes(operator))
    throw new Refusal(400, `${field} does not take the operator ${operator}`);
  if (Array.isArray(value) !== IN.includes(operator)) {
    throw new Refusal(400, `${operator} takes ${Array.isArray(value) ? 'one value' : 'a list of values'}`);
  }
  const wanted = [value].flat().map((item) => normal(field, item));
  const has = (entry: Listed) => values(entry, field).some((item) => wanted.includes(item));
  const [first = ''] = wanted;
  switch (operator) {
    case 'eq':
    case 'in':
      return has;
    case 'neq':
    case 'nin':
      return (entry) => !has(entry);
    case 'gte':
      return (entry) => values(entry, field).some((item) => item >= first);
    case 'lte':
      return (entry) => values(entry, field).some((item) => item <= first);
    default:
      return (entry) => values(entry, field).some((item) => like(item, first));
  }
}

function values({ deployment, phase }: Listed, field: string): string[] {
  switch (field) {
    case 'status':
      return [phase];
    case 'application':
      return [deployment.application];
    case 'version':
      return [deployment.version];
    case 'tags':
      return deployment.tags.map((tag) => tag.name);
    case 'request_id':
      return [deployment.request_id];
    case 'created_at':
      return [new Date(deployment.createdAt).toISOString()];
    // Only a deployment that a test has put there is on a fleet.
    default:
      return [deployment.extras[field]].filter((value) => typeof value === 'string');
  }
}

/** `Status.READY`, `READY` and `ready` are the same; a time may come with a space and without a zone. */
function normal(field: string, value: string): string {
  if (field === 'status') return value.replace(/^Status\./i, '').toUpperCase();
  if (field !== 'created_at') return value;
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(value);
  const time = Date.parse(zoned || /^\d{4}-\d\d-\d\d$/.test(value) ? value : `${value.replace(' ', 'T')}Z`);
  if (Number.isNaN(time)) throw new Refusal(400, 'created_at takes a time');
  return new Date(time).toISOString();
}

/** SQL's ilike, as far as the API offers it: % stands for anything, letters match in both cases. */
function like(text: string, pattern: string): boolean {
  const parts = pattern.split('%').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'is').test(text);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
