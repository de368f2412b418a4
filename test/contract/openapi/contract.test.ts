import { expect, test } from 'vitest';
import { simulate } from '../../simulator/harness.ts';
import { Contract, type Exchange } from './contract.ts';
import { json, small } from './small-api.ts';
import { strictSchema } from './strict-schema.ts';

const good = {
  id: 'a1',
  state: null,
  since: '2026-03-03 16:02:09.360719',
  place: { city: 'Oslo', longitude: 10.7, host: 'h' },
  ports: { game: { external: 31000 }, voice: { external: 31001, link: 'x:31001' } },
  labels: { anything: ['at', 'all'] },
};

const contract = new Contract([small]);

function exchange(other: Partial<Exchange> = {}): Exchange {
  return {
    method: 'GET',
    path: '/v9/servers/a1',
    query: new URLSearchParams({ by: 'ada' }),
    headers: { authorization: 'token x', 'content-type': 'application/json' },
    requestBody: '',
    status: 200,
    contentType: 'application/json',
    responseBody: JSON.stringify(good),
    ...other,
  };
}

function check(side: 'checkRequest' | 'checkResponse', other: Partial<Exchange>): string[] {
  const one = exchange(other);
  const operation = contract.find(one.method, one.path);
  if (!operation) throw new Error('not found');
  return contract[side](operation, one);
}

const respond = (body: unknown) => check('checkResponse', { responseBody: JSON.stringify(body) });

test('the contract check finds no problem in a request and response that match the OpenAPI declaration', () => {
  expect(respond(good)).toEqual([]);
  expect(respond({ ...good, since: '2026-03-03T16:02:09Z' })).toEqual([]);
  expect(
    check('checkResponse', { method: 'DELETE', status: 204, responseBody: '', contentType: undefined }),
  ).toEqual([]);
  expect(check('checkRequest', {})).toEqual([]);
  expect(check('checkRequest', { query: new URLSearchParams({ by: 'ada', page: '2' }) })).toEqual([]);
});

test.each([
  ['an undeclared field', { ...good, colour: 'red' }, 'body/colour is not declared'],
  [
    'an undeclared field inside an object',
    { ...good, place: { city: 'Oslo', planet: 'Earth' } },
    'body/place/planet is not declared',
  ],
  [
    'an undeclared field in a port',
    { ...good, ports: { voice: { external: 1, tls: true } } },
    'body/ports/voice/tls is not declared',
  ],
  ['a missing field', { id: 'a1' }, "body must have required property 'state'"],
  [
    'a missing field inside an object',
    { ...good, ports: { voice: {} } },
    "body/ports/voice must have required property 'external'",
  ],
  [
    'a missing field that a part of an allOf requires',
    { ...good, place: { host: 'h' } },
    "body/place must have required property 'city'",
  ],
  ['a field of a wrong type', { ...good, id: 7 }, 'body/id must be string'],
  ['null where null is not allowed', { ...good, since: null }, 'body/since must be string'],
  ['a time in a wrong format', { ...good, since: '03.03.2026' }, 'body/since must match format "date-time"'],
  [
    'an impossible time',
    { ...good, since: '2026-13-03 16:02:09' },
    'body/since must match format "date-time"',
  ],
])('the contract check reports a response with %s', (_, body, finding) => {
  expect(respond(body)).toContain(finding);
});

test('the contract check reports a response with an undeclared status, content type or body', () => {
  expect(check('checkResponse', { status: 201 })).toEqual(['status 201 is not declared']);
  expect(check('checkResponse', { contentType: 'text/html' })).toEqual(['content type is text/html']);
  expect(check('checkResponse', { responseBody: '{"id":' })).toEqual(['the body is not JSON']);
  expect(check('checkResponse', { method: 'DELETE', status: 204 })).toEqual([
    'status 204 declares no body, and one was sent',
  ]);
});

test.each([
  [
    'an undeclared query parameter',
    { query: new URLSearchParams({ by: 'x', limit: '5' }) },
    'query parameter limit is not declared',
  ],
  ['a missing query parameter', { query: new URLSearchParams() }, 'query parameter by is missing'],
  [
    'a query parameter out of range',
    { query: new URLSearchParams({ by: 'x', page: '0' }) },
    'parameter page must be >= 1',
  ],
  [
    'a query parameter of a wrong type',
    { query: new URLSearchParams({ by: 'x', page: 'two' }) },
    'parameter page must be integer',
  ],
  ['an undeclared body', { requestBody: '{}' }, 'a body is sent where none is declared'],
  ['no token', { headers: {} }, 'no Authorization header of the form `token ...`'],
  [
    'a token without the word "token"',
    { headers: { authorization: 'x' } },
    'no Authorization header of the form `token ...`',
  ],
])('the contract check reports a request with %s', (_, other, finding) => {
  expect(check('checkRequest', other)).toContain(finding);
});

test('if an operation declares the Authorization header itself, the contract check accepts a token without the word "token"', () => {
  const parameters = [{ in: 'header', name: 'authorization', required: true, schema: { type: 'string' } }];
  const paths = { '/v9/self': { delete: { parameters, responses: { 204: {} } } } };
  const declared = new Contract([{ openapi: '3.0.0', paths }]);
  const found = declared.find('DELETE', '/v9/self');
  if (!found) throw new Error('not found');
  const asked = (headers: Exchange['headers']) =>
    declared.checkRequest(found, exchange({ query: new URLSearchParams(), headers }));
  expect(asked({ authorization: 'x' })).toEqual([]);
  expect(asked({})).toHaveLength(1);
});

test('the contract check compares the body of a request with the declared schema', () => {
  const post = (requestBody: string, headers = exchange().headers) =>
    check('checkRequest', {
      method: 'POST',
      path: '/v9/servers',
      query: new URLSearchParams(),
      requestBody,
      headers,
    });
  expect(post(JSON.stringify(good))).toEqual([]);
  expect(post(JSON.stringify({ ...good, colour: 'red' }))).toEqual(['body/colour is not declared']);
  expect(post('')).toEqual(['the body is missing']);
  expect(post(JSON.stringify(good), { authorization: 'token x' })).toEqual(['the body is not sent as JSON']);
});

test('the contract check finds an operation by the method and the whole path', () => {
  expect(contract.find('GET', '/v9/servers/a1')?.path).toBe('/v9/servers/{server_id}');
  expect(contract.find('GET', '/servers/a1')).toBeUndefined();
  expect(contract.find('GET', '/v9/servers/a1/ports')).toBeUndefined();
  expect(contract.find('PATCH', '/v9/servers/a1')).toBeUndefined();
});

test('the contract check refuses a schema that refers to itself', () => {
  const tree = { type: 'object', properties: { left: { $ref: '#/tree' } } };
  expect(() => strictSchema(tree, { tree })).toThrow('contains itself');
});

test('if any single word of the declaration is changed, the contract check reports an answer of the simulator', async () => {
  const { call, ready } = await simulate();
  const id = await ready();
  const { status, json: body } = await call('GET', `/v1/status/${id}`);
  const declare = (
    change: (properties: Record<string, unknown>) => Record<string, unknown>,
    answer = 200,
  ) => {
    const kind = (value: unknown) => ({ type: Array.isArray(value) ? 'array' : typeof value });
    const properties = Object.fromEntries(Object.entries(body).map(([key, value]) => [key, kind(value)]));
    const schema = { type: 'object', required: Object.keys(properties), properties: change(properties) };
    const operation = { responses: { [answer]: json(schema) } };
    const declared = new Contract([{ openapi: '3.0.0', paths: { '/v1/status/{id}': { get: operation } } }]);
    const found = declared.find('GET', `/v1/status/${id}`);
    if (!found) throw new Error('not found');
    return declared.checkResponse(found, exchange({ status, responseBody: JSON.stringify(body) }));
  };
  expect(declare((same) => same)).toEqual([]);
  expect(declare(({ fqdn: _, ...rest }) => rest)).toEqual(['body/fqdn is not declared']);
  expect(declare((same) => ({ ...same, elapsed_time: { type: 'string' } }))).toEqual([
    'body/elapsed_time must be string',
  ]);
  expect(declare((same) => same, 206)).toEqual(['status 200 is not declared']);
});
