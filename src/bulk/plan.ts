import type { Address, MessageRef } from '../chat/port.ts';
import type { Filter } from '../deployments/list-filter.ts';

/** A change to many deployments. */
export type Change = { readonly kind: 'stop' } | { readonly kind: 'tag'; readonly tag: string };

export interface Planner {
  readonly id: string;
  readonly name: string;
  readonly at: Address;
}

/** The parts of a plan that never change. */
export interface Order {
  /** The command to which the buttons of the plan belong. */
  readonly command: string;
  readonly change: Change;
  /** The filter, which is checked again immediately before the change of each deployment. */
  readonly filter: Filter;
  /** The whole filter as text. */
  readonly words: string;
  readonly asker: Planner;
}

/** A deployment as the list shows it: the cells of a row, in the order of COLUMNS. */
export interface Target {
  readonly request_id: string;
  readonly cells: readonly string[];
}

/** See `PlanItemsTable.state`. */
export type ItemState = 'planned' | 'sending' | 'done' | 'left-out' | 'failed';

export interface Item extends Target {
  readonly state: ItemState;
  readonly reason: string | undefined;
}

/** The outcome for a deployment of a plan. */
export interface Result extends Pick<Item, 'request_id' | 'state'> {
  readonly reason?: string | undefined;
}

/** A plan that a person has confirmed. */
export interface RunningPlan extends Order {
  readonly id: string;
  /** The public card that shows the progress. */
  readonly card: MessageRef;
}
