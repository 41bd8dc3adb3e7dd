/**
 * Preload, `node --import 'file:///…/skewed-clock.ts?ms=3600000' program.ts`: the wall clock of this process differs from that
 * of the machine by so many milliseconds. The monotonic clock does not, as on a machine whose time was never set.
 */
const skewMs = Number(new URL(import.meta.url).searchParams.get('ms'));
const RealDate = globalThis.Date;

class SkewedDate extends RealDate {
  constructor(...given: []) {
    if (given.length === 0) super(SkewedDate.now());
    else super(...given);
  }

  static override now(): number {
    return RealDate.now() + skewMs;
  }
}

globalThis.Date = SkewedDate as DateConstructor;
