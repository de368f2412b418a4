/**
 * A line of the table. `outside` counts the requests that the OpenAPI files do not mention. These requests are neither
 * right nor wrong.
 */
export interface Row {
  readonly result: 'ok' | 'FAIL' | 'outside';
  readonly what: string;
  readonly subject: string;
  readonly findings: readonly string[];
}

export class Report {
  readonly rows: Row[] = [];

  check(what: string, subject: string, findings: readonly string[]): void {
    this.rows.push({ result: findings.length === 0 ? 'ok' : 'FAIL', what, subject, findings });
  }

  outside(what: string, subject: string, why: string): void {
    this.rows.push({ result: 'outside', what, subject, findings: [why] });
  }

  get passed(): number {
    return this.rows.filter(({ result }) => result === 'ok').length;
  }

  get failed(): number {
    return this.rows.filter(({ result }) => result === 'FAIL').length;
  }

  /** The table, followed by a line with the counts. */
  print(): string {
    const width = Math.max(0, ...this.rows.map(({ what }) => what.length));
    const line = ({ result, what, subject, findings }: Row) =>
      [
        `${result.padEnd(7)}  ${what.padEnd(width)}  ${subject}`,
        ...findings.map((finding) => `${' '.repeat(width + 11)}  ${finding}`),
      ].join('\n');
    const inside = this.rows.filter(({ result }) => result !== 'outside');
    const outside = this.rows.filter(({ result }) => result === 'outside');
    return [
      ...inside.map(line),
      ...(outside.length > 0 ? ['', 'Outside the files:', ...outside.map(line)] : []),
      '',
      `${this.passed} passed, ${this.failed} failed`,
    ].join('\n');
  }
}
