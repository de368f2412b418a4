/** Thrown by a route that will not do what it was asked. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: object;

  constructor(status: number, message: string, extra: object = {}) {
    super(message);
    this.status = status;
    this.body = { message, ...extra };
  }
}
