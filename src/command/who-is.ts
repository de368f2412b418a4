import type { Asker } from './define.ts';

/** Names a person on all platforms, to compare the person who asked with the person who answers. */
export function whoIs({ id, at: { platform, workspace } }: Pick<Asker, 'id' | 'at'>): string {
  return JSON.stringify([platform, workspace, id]);
}
