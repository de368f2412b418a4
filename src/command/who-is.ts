import type { Asker } from './define.ts';

/**
 * Returns a text that identifies a person across all platforms. Used to check that the person who answers a question is
 * the person who was asked.
 */
export function whoIs({ id, at: { platform, workspace } }: Pick<Asker, 'id' | 'at'>): string {
  return JSON.stringify([platform, workspace, id]);
}
