/**
 * The text in a field whose value the field cannot show. If the person keeps the dots, the value stays the same. If the
 * person deletes the dots, the value is removed.
 */
export const DOTS = '••••••••';
