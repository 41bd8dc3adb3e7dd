const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Up to `below`, an age is told in `unit`s, with what is left over in `rest`s. */
const STEPS: { below: number; unit: number; name: string; rest?: { unit: number; name: string } }[] = [
  { below: 2 * MINUTE, unit: SECOND, name: 's' },
  { below: 10 * MINUTE, unit: MINUTE, name: 'm', rest: { unit: SECOND, name: 's' } },
  { below: 3 * HOUR, unit: MINUTE, name: 'm' },
  { below: 8 * HOUR, unit: HOUR, name: 'h', rest: { unit: MINUTE, name: 'm' } },
  { below: 2 * DAY, unit: HOUR, name: 'h' },
  { below: 8 * DAY, unit: DAY, name: 'd', rest: { unit: HOUR, name: 'h' } },
  { below: 2 * YEAR, unit: DAY, name: 'd' },
  { below: 8 * YEAR, unit: YEAR, name: 'y', rest: { unit: DAY, name: 'd' } },
  { below: Number.POSITIVE_INFINITY, unit: YEAR, name: 'y' },
];

/** As kubectl tells it, e.g. "42s", "5m30s", "3d4h" (k8s.io/apimachinery, duration.HumanDuration); `-` without a time. */
export function ageOf(time: string | undefined, now: Date): string {
  const ageMs = Math.max(0, now.getTime() - Date.parse(time ?? ''));
  const step = STEPS.find(({ below }) => ageMs < below);
  if (step === undefined) return '-';
  const { unit, name, rest } = step;
  const left = rest === undefined ? 0 : Math.floor((ageMs % unit) / rest.unit);
  return `${Math.floor(ageMs / unit)}${name}${rest === undefined || left === 0 ? '' : `${left}${rest.name}`}`;
}
