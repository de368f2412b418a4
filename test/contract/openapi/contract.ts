import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { asNode, type Node, type Operation, operationsOf, resolve } from './document.ts';
import { strictSchema } from './strict-schema.ts';

/** A request and its answer, exactly as sent. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly requestBody: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly responseBody: string;
}

/**
 * The declarations in the OpenAPI files, and the check of exchanges against these declarations. Every check returns its
 * findings.
 */
export class Contract {
  readonly operations: readonly Operation[];
  readonly #ajv = new Ajv({ strict: false, allErrors: true });
  readonly #compiled = new Map<Node, ValidateFunction>();

  constructor(documents: readonly Node[]) {
    this.operations = documents.flatMap(operationsOf);
    formats.default(this.#ajv);
    this.#ajv.addFormat('date-time', isVendorTime);
    // The vendor's files use the format `date` only for metrics, and their own example includes a time of day.
    this.#ajv.addFormat('date', (text) => isVendorTime(text) || /^\d{4}-\d\d-\d\d$/.test(text));
  }

  /** The operation for a request. A path without parameters has priority over a path with parameters. */
  find(method: string, path: string): Operation | undefined {
    const fits = this.operations.filter((one) => one.method === method && pattern(one.path).test(path));
    return fits.find((one) => one.path === path) ?? fits[0];
  }

  statuses(operation: Operation): number[] {
    return Object.keys(asNode(operation.node.responses)).map(Number);
  }

  checkRequest(operation: Operation, exchange: Exchange): string[] {
    // An operation that declares the header itself takes a token other than the account's token.
    const own = operation.parameters.some(
      ({ in: place, name }) => place === 'header' && name === 'authorization',
    );
    const form = own ? /^\S+$/ : /^token \S+$/;
    const authorized = form.test(String(exchange.headers.authorization ?? ''));
    return [
      ...(authorized ? [] : [`no Authorization header of the form \`${own ? '...' : 'token ...'}\``]),
      ...this.#checkPath(operation, exchange),
      ...this.#checkQuery(operation, exchange),
      ...this.#checkRequestBody(operation, exchange),
    ];
  }

  checkResponse(operation: Operation, { status, contentType, responseBody }: Exchange): string[] {
    const response = asNode(operation.node.responses)[status];
    if (!response) return [`status ${status} is not declared`];
    const media = asNode(asNode(resolve(asNode(response), operation.document).content)['application/json']);
    if (!media.schema)
      return responseBody === '' ? [] : [`status ${status} declares no body, and one was sent`];
    if (!contentType?.startsWith('application/json')) return [`content type is ${contentType ?? 'missing'}`];
    return this.#checkJson(responseBody, asNode(media.schema), operation);
  }

  #checkPath({ path: template, parameters, document }: Operation, { path }: Exchange): string[] {
    const values = pattern(template).exec(path)?.groups ?? {};
    return parameters
      .filter((parameter) => parameter.in === 'path')
      .flatMap((parameter) => {
        const text = values[groupName(String(parameter.name))];
        if (text === undefined) return [`path parameter ${parameter.name} is not in the path`];
        return this.#checkText(decodeURIComponent(text), parameter, document);
      });
  }

  #checkQuery({ parameters, document }: Operation, { query }: Exchange): string[] {
    const declared = parameters.filter((parameter) => parameter.in === 'query');
    const missing = declared.filter((one) => one.required === true && !query.has(String(one.name)));
    const found = [...query].flatMap(([name, text]) => {
      const parameter = declared.find((one) => one.name === name);
      return parameter
        ? this.#checkText(text, parameter, document)
        : [`query parameter ${name} is not declared`];
    });
    return [...missing.map((one) => `query parameter ${one.name} is missing`), ...found];
  }

  #checkRequestBody(operation: Operation, { headers, requestBody }: Exchange): string[] {
    const declared = resolve(asNode(operation.node.requestBody), operation.document);
    const { schema } = asNode(asNode(declared.content)['application/json']);
    if (!schema) return requestBody === '' ? [] : ['a body is sent where none is declared'];
    if (requestBody === '') return ['the body is missing'];
    if (!String(headers['content-type']).startsWith('application/json'))
      return ['the body is not sent as JSON'];
    return this.#checkJson(requestBody, asNode(schema), operation);
  }

  #checkText(text: string, parameter: Node, document: Node): string[] {
    const schema = asNode(parameter.schema);
    const { type } = resolve(schema, document);
    const value =
      type === 'boolean' && /^(true|false)$/.test(text)
        ? text === 'true'
        : (type === 'integer' || type === 'number') && text.trim() !== ''
          ? Number(text)
          : text;
    return this.#validate(value, schema, document).map((finding) => `parameter ${parameter.name}${finding}`);
  }

  #checkJson(text: string, schema: Node, { document }: Operation): string[] {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return ['the body is not JSON'];
    }
    return this.#validate(value, schema, document).map((finding) => `body${finding}`);
  }

  #validate(value: unknown, schema: Node, document: Node): string[] {
    const validate = this.#compiled.get(schema) ?? this.#ajv.compile(strictSchema(schema, document));
    this.#compiled.set(schema, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const undeclared = params.additionalProperty;
      return undeclared ? `${instancePath}/${undeclared} is not declared` : `${instancePath} ${message}`;
    });
  }
}

/** The vendor writes a `date-time` as `2026-03-03 16:02:09.360719`, in UTC and without a time zone. */
function isVendorTime(text: string): boolean {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  return match !== null && !Number.isNaN(Date.parse(`${match[1]}T${match[2]}${match[4] ?? 'Z'}`));
}

function pattern(template: string): RegExp {
  const parts = template.split(/(\{[^}]+\})/).map((part) => {
    if (!part.startsWith('{')) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return `(?<${groupName(part.slice(1, -1))}>[^/]+)`;
  });
  return new RegExp(`^${parts.join('')}$`);
}

function groupName(parameter: string): string {
  return parameter.replace(/\W/g, '_');
}
