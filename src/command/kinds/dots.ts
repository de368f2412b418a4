/**
 * Stands in a text field for a value that the field cannot show. If the person leaves the dots alone, the value stays. If
 * the person deletes the dots, the value is removed.
 */
export const DOTS = '••••••••';
