/** English and Chinese: every message stands in both, side by side, so that the compiler misses any that lacks one. */

import { recall, remember } from "./storage";

export type Lang = "en" | "zh";
export type Message = readonly [en: string, zh: string];
export type Values = Readonly<Record<string, string | number>>;

let current: Lang = "en";

export function lang(): Lang {
  return current;
}

/** Choose the language: what was chosen before, else what the studio was started with, else the browser's. */
export function initLang(started: string | null): void {
  const wanted = recall("lang") ?? started ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
  current = wanted === "zh" ? "zh" : "en";
  document.documentElement.lang = current === "zh" ? "zh-Hans" : "en";
}

export function chooseLang(wanted: Lang): void {
  remember("lang", wanted);
  initLang(null);
}

/**
 * Give the function that looks messages of one table up.
 *
 *     const t = defineMessages({ found: ["{n} {n|run|runs}", "{n} 次训练"] });
 *     t("found", { n: 2 })   // 2 runs
 *
 * `{name}` is a value, numbers as the language writes them; `{name|one|other}` the English word by number.
 */
export function defineMessages<T extends Record<string, Message>>(table: T): (key: keyof T, values?: Values) => string {
  return (key, values = {}) => fill((table[key] as Message)[current === "zh" ? 1 : 0], values);
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, other?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (one !== undefined && other !== undefined) return value === 1 ? one : other;
    return typeof value === "number" ? integer(value) : value;
  });
}

function locale(): string {
  return current === "zh" ? "zh-CN" : "en-GB";
}

/** A count: 1,234,567. */
export function integer(value: number): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: 0 }).format(value);
}

/** A measured number with four significant digits, as the report writes it. */
export function decimal(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) return value.toExponential(2);
  return new Intl.NumberFormat(locale(), { maximumSignificantDigits: 4, useGrouping: false }).format(value);
}

/** A share: 96.9 %. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

/** A length of time: 42 s, 3 min 5 s, 2 h 10 min. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const units = current === "zh" ? [" 小时", " 分", " 秒"] : [" h", " min", " s"];
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours > 0) return `${hours}${units[0]}${minutes > 0 ? ` ${minutes}${units[1]}` : ""}`;
  if (minutes > 0) return `${minutes}${units[1]}${rest > 0 ? ` ${rest}${units[2]}` : ""}`;
  return seconds < 10 && seconds !== whole ? `${seconds.toFixed(1)}${units[2]}` : `${whole}${units[2]}`;
}

/** A moment: 30 Nov 2026, 22:41. */
export function moment(value: string | number | null | undefined): string {
  if (value === null || value === undefined || value === "") return "–";
  const date = new Date(typeof value === "number" ? value * 1000 : value);
  if (Number.isNaN(date.getTime())) return String(value);
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(date);
}

/** A size in bytes: 1.2 MB. */
export function bytes(value: number): string {
  const names = ["B", "kB", "MB", "GB"];
  let [size, place] = [value, 0];
  while (size >= 1000 && place < names.length - 1) [size, place] = [size / 1000, place + 1];
  return `${place === 0 ? size : size.toFixed(1)} ${names[place]}`;
}
