import { asNode, asNodes, type Node, resolve } from './document.ts';

/** Keywords that only describe a schema, or that this module translates. */
const DROPPED = new Set([
  ...['title', 'description', 'example', 'examples', 'default', 'deprecated', 'readOnly', 'writeOnly', 'xml'],
  ...['externalDocs', 'discriminator', 'nullable', 'allOf', '$ref'],
]);

/**
 * An OpenAPI 3.0 schema as a strict JSON schema without references. In a strict schema, an object may have only the
 * declared properties. Two types of objects stay open. The vendor writes "any object" as an object without declared
 * properties. And `ports` has port names as keys, but the vendor declares only an example port.
 */
export function strictSchema(schema: Node, document: Node): Node {
  return convert(schema, document, undefined, []);
}

function convert(given: Node, document: Node, name: string | undefined, above: readonly Node[]): Node {
  const schema = flatten(given, document);
  if (above.includes(schema))
    throw new Error(`The schema of ${name} contains itself, which is not supported`);
  const inner = (node: unknown, key?: string) => convert(asNode(node), document, key, [...above, schema]);

  const strict: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (DROPPED.has(key)) continue;
    if (key === 'properties') continue;
    if (key === 'items') strict.items = inner(value);
    else if (key === 'anyOf' || key === 'oneOf') strict[key] = asNodes(value).map((one) => inner(one, name));
    else if (key === 'additionalProperties' && typeof value === 'object') strict[key] = inner(value, name);
    else strict[key] = value;
  }

  const properties = Object.entries(asNode(schema.properties));
  if (schema.properties && !strict.type) strict.type = 'object';
  const [first] = properties;
  if (first && name === 'ports') {
    strict.additionalProperties = inner(first[1]);
  } else if (first) {
    strict.properties = Object.fromEntries(properties.map(([key, node]) => [key, inner(node, key)]));
    strict.additionalProperties ??= false;
  }
  return schema.nullable === true ? orNull(strict) : strict;
}

/**
 * Merges `allOf` into a single schema. Otherwise each strict object would refuse the properties of the other objects.
 */
function flatten(given: Node, document: Node): Node {
  const schema = resolve(given, document);
  if (!schema.allOf) return schema;
  const parts = asNodes(schema.allOf).map((part) => flatten(part, document));
  const { allOf: _, ...own } = schema;
  const all = [...parts, own];
  const properties = Object.assign({}, ...all.map((part) => asNode(part.properties)));
  const required = [...new Set(all.flatMap((part) => list(part.required)))];
  return Object.assign({}, ...all, {
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required }),
  });
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function orNull(schema: Node): Node {
  if (typeof schema.type !== 'string') return { anyOf: [schema, { type: 'null' }] };
  const { enum: values } = schema;
  return {
    ...schema,
    type: [schema.type, 'null'],
    ...(values !== undefined && { enum: [...list(values), null] }),
  };
}
