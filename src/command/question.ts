import type { Card } from '../chat/card.ts';
import { RefusedError } from '../errors.ts';

/**
 * A question that the bot asks before it does anything. If a check throws a Question, its card is sent as the private
 * first response. The card has buttons for the answers. `userMessage` is for a person to whom the card cannot be shown.
 */
export class Question extends RefusedError {
  readonly card: Card;

  constructor(code: string, userMessage: string, card: Card) {
    super(code, userMessage);
    this.card = card;
  }
}
