/**
 * The dots stand in a text field for a value that the field cannot show. If the person keeps the dots, the value stays the same. If the
 * person deletes the dots, the value is removed.
 */
export const DOTS = '••••••••';
