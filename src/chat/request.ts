import type { InvocationRequest } from './port.ts';

/** The command that the person wants. Empty if the request names no command. */
export function commandIn(request: InvocationRequest): string {
  if (request.kind === 'command') return request.command;
  return request.kind === 'message' ? request.entry : (request.action?.command ?? '');
}

/** The message that holds the pressed button. Undefined for a request without such a message. */
export function sourceIn(request: InvocationRequest) {
  return request.kind === 'action' || request.kind === 'form' ? request.source : undefined;
}
