import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSameName, namesakes } from '../../src/command/same-name.ts';

test.each([
  ['letter case', 'Arena', 'arena'],
  ['the case of the letter i in Turkish', 'ISTANBUL', 'İstanbul'],
  ['a letter without a dot', 'diyarbakir', 'Diyarbakır'],
  ['accents in a separate character', 'cafe\u0301-brawl', 'caf\u00e9-brawl'],
  ['accents that are not typed', 'Reykjavik', 'Reykjavík'],
  ['two accents on a letter', 'Da Nang', 'Đà Nẵng'],
  ['blanks that are not typed', 'danang', 'Đà Nẵng'],
  ['an l with a stroke', 'Lodz', 'Łódź'],
  ['an o with a stroke', 'Tromso', 'Tromsø'],
  ['an o that is spelt with an e', 'Tromsoe', 'Tromsø'],
  ['an umlaut that is spelt with an e', 'Muenchen', 'München'],
  ['an umlaut that is not typed', 'Munchen', 'München'],
  ['a sharp s in capitals', 'GIESSEN', 'Gießen'],
  ['joined letters', 'Naestved', 'Næstved'],
  ['an eth', 'Sauðárkrókur', 'Saudarkrokur'],
  ['a curled apostrophe', 'St. John’s', "St. John's"],
  ['an apostrophe and a dot that are not typed', 'St Johns', "St. John's"],
  ['an okina', 'Nukuʻalofa', "Nuku'alofa"],
  ['a long dash', 'kart—racing', 'kart-racing'],
  ['a blank in place of a dash', 'kart racing', 'kart-racing'],
  ['wide letters', 'ａｒｅｎａ', 'arena'],
  ['a ligature', 'oﬃce', 'office'],
  ['invisible characters', '\u200barena\u00a0', 'arena'],
  ['quotation marks around the name', '«arena»', 'arena'],
  ['a blank in place of a dash between digits', 'build 1 2', 'build-1-2'],
])('names that differ only by %s count as the same name: %s, %s', (_, typed, name) => {
  expect(isSameName(typed, name)).toBe(true);
  expect(isSameName(name, typed)).toBe(true);
});

test.each([
  ['v12', 'v1.2'],
  ['v1-2', 'v1.2'],
  ['1 2', '12'],
  ['arena', 'arenas'],
  ['か', 'が'],
  ['🏁', '🏎️'],
  ['-', '—x'],
  ['', 'x'],
  ['...', '?'],
])('%s and %s count as two different names', (one, other) => {
  expect(isSameName(one, other)).toBe(false);
});

const name = (one: string) => one;

test.each<[string, string[], string[]]>([
  ['arena', ['Arena', 'arena', 'ARENA'], ['arena']],
  ['Arena', ['arena', 'lobby'], ['arena']],
  ['Arena', ['arena', 'ARENA'], ['arena', 'ARENA']],
  ['CAFE', ['café', 'cafe'], ['café', 'cafe']],
  // These names cannot be typed in any other way.
  ['cafe\u0301', ['caf\u00e9', 'cafe'], ['caf\u00e9']],
  ['St. John’s', ["St. John's", 'St Johns'], ["St. John's"]],
  ['lobby', ['arena'], []],
])('the typed name %s is compared with the known names %j and matches %j', (given, known, expected) => {
  expect(namesakes(given, known, name)).toEqual(expected);
});

test('a typed name that is exactly equal to a known name matches no other known name', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), (known) => {
      for (const one of known)
        expect(namesakes(one, known, name)).toEqual(known.filter((other) => other === one));
    }),
  );
});

test('a name in capitals, in any Unicode form, counts as the same name', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zà-öø-ÿāčđęğīłńőřşťůžơẵ]{1,20}$/u), (one) => {
      for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'])
        expect(isSameName(one.toUpperCase().normalize(form), one)).toBe(true);
    }),
  );
});
