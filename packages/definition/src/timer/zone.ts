import type { Duration } from "./duration.ts";

/** A date and time on a wall clock, with no zone: milliseconds as if it were UTC. */
export type LocalMs = number;

const formats = new Map<string, Intl.DateTimeFormat | null>();

/** Whether this runtime knows the IANA zone. */
export function isZone(zone: string): boolean {
  return formatOf(zone) !== undefined;
}

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  const known = formats.get(zone);
  if (known !== undefined) return known ?? undefined;
  let format: Intl.DateTimeFormat | null = null;
  try {
    // Offsets such as +01:00 are accepted by Intl, but are no zones: they know no summer time.
    if (/^[A-Za-z]/.test(zone) && zone.length <= 64) {
      format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        calendar: "iso8601",
        numberingSystem: "latn",
        hourCycle: "h23",
        year: "numeric",
        month: "2-digit",
        day: "2-digit",
        hour: "2-digit",
        minute: "2-digit",
        second: "2-digit",
        era: "short",
      });
    }
  } catch {
    format = null;
  }
  if (formats.size > 1_000) formats.clear();
  formats.set(zone, format);
  return format ?? undefined;
}

/** What the clocks of a zone show at an instant. */
export function toLocal(instant: number, zone: string): LocalMs {
  if (zone === "UTC") return instant;
  const parts = formatOf(zone)?.formatToParts(instant) ?? [];
  const read = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  const seconds = Date.UTC(read("year"), read("month") - 1, read("day"), read("hour"), read("minute"), read("second"));
  return seconds + (((instant % 1_000) + 1_000) % 1_000);
}

/**
 * The instant at which the clocks of a zone show a time. In the gap of spring it is moved forward by the gap's length;
 * of the two in autumn the first is taken (RFC 5545, and what Temporal calls "compatible").
 */
export function toInstant(local: LocalMs, zone: string): number {
  if (zone === "UTC") return local;
  const day = 86_400_000;
  const before = toLocal(local - day, zone) - (local - day);
  const after = toLocal(local + day, zone) - (local + day);
  const candidates = [local - before, local - after].filter((instant) => toLocal(instant, zone) === local);
  return candidates.length > 0 ? Math.min(...candidates) : local - before;
}

/** Adds years and months, then days, on the wall clock, then the exact rest. A day that is not there becomes the month's last. */
export function addDuration(instant: number, duration: Duration, zone: string): number {
  const { years, months, days, ms } = duration;
  if (years === 0 && months === 0 && days === 0) return instant + ms;
  const local = new Date(toLocal(instant, zone));
  const month = local.getUTCMonth() + years * 12 + months;
  const target = new Date(local);
  target.setUTCDate(1);
  target.setUTCMonth(month);
  const lastDay = new Date(Date.UTC(target.getUTCFullYear(), target.getUTCMonth() + 1, 0)).getUTCDate();
  target.setUTCDate(Math.min(local.getUTCDate(), lastDay) + days);
  return toInstant(target.getTime(), zone) + ms;
}
