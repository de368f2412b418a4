/** Edgegap's texts about a failure for lack of capacity, for example `No location has enough room for this version`. */
export const NO_ROOM =
  /no (?:\w+ ){0,6}room|capacity|cannot (?:be )?allocated?(?! memory)|no (?:available )?(?:host|location)/i;
