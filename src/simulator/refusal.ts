/** The answer to a request that is not carried out. Routes throw this error. */
export class RouteRefusal extends Error {
  readonly status: number;
  readonly body: object;

  constructor(status: number, message: string, extra: object = {}) {
    super(message);
    this.status = status;
    this.body = { message, ...extra };
  }
}
