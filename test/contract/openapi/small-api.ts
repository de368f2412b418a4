const text = { type: 'string' };
const place = {
  type: 'object',
  required: ['city'],
  properties: { city: text, longitude: { type: 'number' } },
};
const port = {
  type: 'object',
  required: ['external'],
  properties: { external: { type: 'integer' }, link: text },
};
const server = {
  type: 'object',
  required: ['id', 'state'],
  properties: {
    id: text,
    state: { type: 'string', enum: ['up', 'down'], nullable: true },
    since: { type: 'string', format: 'date-time' },
    place: { allOf: [{ $ref: '#/components/schemas/Place' }, { properties: { host: text } }] },
    ports: { type: 'object', properties: { game: { $ref: '#/components/schemas/Port' } } },
    labels: { type: 'object', properties: {} },
  },
};
export const json = (schema: unknown) => ({ content: { 'application/json': { schema } } });

/** A small invented API with each peculiarity of the vendor's files. */
export const small = {
  openapi: '3.0.1',
  servers: [{ url: 'https://api.example.com/v9' }],
  components: { schemas: { Place: place, Port: port, Server: server } },
  paths: {
    '/servers/{server_id}': {
      get: {
        parameters: [
          { name: 'server_id', in: 'path', required: true, schema: text },
          { name: 'page', in: 'query', schema: { type: 'integer', minimum: 1 } },
          { name: 'by', in: 'query', required: true, schema: text },
        ],
        responses: { 200: json({ $ref: '#/components/schemas/Server' }), 404: json({ type: 'object' }) },
      },
      delete: { responses: { 204: { description: 'gone' } } },
    },
    '/servers': {
      post: {
        requestBody: json({ $ref: '#/components/schemas/Server' }),
        responses: { 202: json({ type: 'object', required: ['id'], properties: { id: text } }) },
      },
    },
  },
};
