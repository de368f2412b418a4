import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

/** Any part of a parsed OpenAPI file. */
export type Node = { readonly [key: string]: unknown };

export interface Operation {
  readonly method: string;
  /** The path, including the server's base path. Parameters are in braces. */
  readonly path: string;
  readonly node: Node;
  /** The parameters of the operation, including those of its path. */
  readonly parameters: readonly Node[];
  readonly document: Node;
}

/** An OpenAPI file is unusable. The message names the file and the reason. */
export class UnusableFile extends Error {}

export async function readDocument(file: string): Promise<Node> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UnusableFile(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw new UnusableFile(`${file} is no YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  const { openapi, paths } = asNode(document);
  if (typeof openapi !== 'string' || !openapi.startsWith('3.0') || typeof paths !== 'object') {
    throw new UnusableFile(`${file} is no OpenAPI 3.0 file`);
  }
  return asNode(document);
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

export function operationsOf(document: Node): Operation[] {
  const base = basePath(document);
  return Object.entries(asNode(document.paths)).flatMap(([path, item]) => {
    const shared = asNodes(asNode(item).parameters);
    return Object.entries(asNode(item))
      .filter(([method]) => METHODS.includes(method))
      .map(([method, node]) => ({
        method: method.toUpperCase(),
        path: base + path,
        node: asNode(node),
        parameters: [...shared, ...asNodes(asNode(node).parameters)].map((one) => resolve(one, document)),
        document,
      }));
  });
}

/** Follows a `$ref`. In OpenAPI 3.0, every field beside a `$ref` is ignored. */
export function resolve(node: Node, document: Node): Node {
  if (typeof node.$ref !== 'string') return node;
  const target = node.$ref
    .replace(/^#\//, '')
    .split('/')
    .reduce((at, key) => asNode(at[key]), document);
  return resolve(target, document);
}

export function asNode(value: unknown): Node {
  return typeof value === 'object' && value !== null ? (value as Node) : {};
}

export function asNodes(value: unknown): Node[] {
  return Array.isArray(value) ? value.map(asNode) : [];
}

function basePath(document: Node): string {
  const url = asNodes(document.servers)[0]?.url;
  return typeof url === 'string' ? new URL(url, 'http://server').pathname.replace(/\/$/, '') : '';
}
