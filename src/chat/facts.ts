import type { Node, Rich } from './card.ts';

type Fact = string | false | undefined;

/**
 * Writes a table's row as prose, for narrow screens. A phone can wrap prose, but would break each line of a wide table.
 * Facts without a value are left out.
 */
export function rowText(head: Rich, ...lines: readonly (readonly Fact[])[]): Node {
  const below = lines.map((facts) => facts.filter((fact) => fact).join(' · ')).filter((line) => line !== '');
  return { kind: 'text', text: [...head, ...below.map((line) => `\n${line}`)] };
}

/** Makes fields from labels and values. A field without a value is left out. */
export function fieldsOf(values: Readonly<Record<string, Fact | Rich>>): Extract<Node, { kind: 'fields' }> {
  const fields = Object.entries(values).flatMap(([label, value]) =>
    value && value.length > 0 ? [{ label, value: [value].flat() }] : [],
  );
  return { kind: 'fields', fields, columns: true };
}

/** Returns a count with its noun, such as `1 host` or `2 hosts`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
