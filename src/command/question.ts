import type { Card } from '../chat/card.ts';
import { RefusedError } from '../errors.ts';

/**
 * A question that the bot asks before it changes anything. If a check throws a Question, the bot sends the card as the
 * private first response. The card has buttons for the answers. If the bot cannot show the card, the person gets
 * `userMessage`.
 */
export class Question extends RefusedError {
  readonly card: Card;

  constructor(code: string, userMessage: string, card: Card) {
    super(code, userMessage);
    this.card = card;
  }
}
