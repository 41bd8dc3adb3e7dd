import { stripVTControlCharacters } from 'node:util';

/** What moves a cursor, rings, or turns the direction of writing; tabs and line feeds do no harm. */
const CONTROL = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

/**
 * Text that builds, nodes or registries wrote, fit for a terminal: escape sequences (colours too) are taken out, other
 * control characters are shown as U+FFFD. Without it a build log could rename a person's window or hide its own lines.
 * The carriage return of a DOS line end goes.
 */
export function plainText(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\r(?=\n|$)/g, '')
    .replace(CONTROL, '\u{fffd}');
}
