/** A duration in parts: calendar units, whose length depends on where they start, and exact milliseconds. */
export interface Duration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly ms: number;
}

const amount = String.raw`(\d{1,9}(?:[.,]\d{1,9})?)`;
const isoPattern = new RegExp(
  `^P(?:${amount}Y)?(?:${amount}M)?(?:${amount}W)?(?:${amount}D)?(?:T(?:${amount}H)?(?:${amount}M)?(?:${amount}S)?)?$`,
);
const shortUnits: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Reads ISO 8601 (`P1DT12H`) or the short form (`1d12h`, `500ms`). Undefined when it is neither. */
export function parseDuration(text: string): Duration | undefined {
  return parseIso(text) ?? parseShort(text);
}

function parseIso(text: string): Duration | undefined {
  const match = isoPattern.exec(text);
  if (match === null || /[PT]$/.test(text)) return undefined;
  const parts = match.slice(1).map((part) => (part === undefined ? undefined : Number(part.replace(",", "."))));
  const last = parts.findLastIndex((part) => part !== undefined);
  // ISO 8601 allows a fraction only in the smallest part; and half a month has no length.
  if (parts.some((part, index) => part !== undefined && !Number.isInteger(part) && (index !== last || index < 2))) {
    return undefined;
  }
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts;
  const wholeDays = Math.trunc(weeks * 7 + days);
  const rest = (weeks * 7 + days - wholeDays) * 86_400_000;
  const ms = Math.round(rest + hours * 3_600_000 + minutes * 60_000 + seconds * 1_000);
  return { years, months, days: wholeDays, ms };
}

function parseShort(text: string): Duration | undefined {
  if (!/^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|[smhdw]))+$/.test(text)) return undefined;
  let days = 0;
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|[smhdw])/g)) {
    const value = Number(number);
    const perDay = unit === "d" ? 1 : unit === "w" ? 7 : 0;
    if (perDay > 0 && Number.isInteger(value)) days += value * perDay;
    else ms += value * (perDay > 0 ? perDay * 86_400_000 : (shortUnits[unit ?? ""] ?? 0));
  }
  return { years: 0, months: 0, days, ms: Math.round(ms) };
}

/** The ISO 8601 text of a duration, the same for every way of writing it: `90m` and `PT1H30M` give `PT1H30M`. */
export function formatDuration(duration: Duration): string {
  const hours = Math.trunc(duration.ms / 3_600_000);
  const minutes = Math.trunc((duration.ms % 3_600_000) / 60_000);
  const seconds = (duration.ms % 60_000) / 1_000;
  const date = `${part(duration.years, "Y")}${part(duration.months, "M")}${part(duration.days, "D")}`;
  const time = `${part(hours, "H")}${part(minutes, "M")}${part(seconds, "S")}`;
  if (date === "" && time === "") return "PT0S";
  return `P${date}${time === "" ? "" : `T${time}`}`;
}

function part(value: number, unit: string): string {
  return value === 0 ? "" : `${value}${unit}`;
}

/** Milliseconds of a duration without years and months; a day counts 24 hours. Undefined when it has either. */
export function durationMs(text: string): number | undefined {
  const duration = parseDuration(text);
  if (duration === undefined || duration.years > 0 || duration.months > 0) return undefined;
  return duration.days * 86_400_000 + duration.ms;
}
