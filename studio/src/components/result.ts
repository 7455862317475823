/** A prediction of any task in short: what `predict --json` gives, as names and values, probabilities as bars. */

import type { Result } from "../api/types";
import { h, svg, type Child } from "../dom";
import { decimal } from "../i18n";

const MAX_ITEMS = 12;

export function resultView(result: Result): HTMLElement {
  const rows = Object.entries(result).filter(([, value]) => value !== null && value !== undefined);
  return h("dl", { class: "prediction", lang: "en" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, shown(value))]));
}

function shown(value: unknown): Child {
  if (typeof value === "number") return decimal(value);
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  const probabilities = asProbabilities(value);
  if (probabilities !== null) return bars(probabilities);
  if (Array.isArray(value)) return list(value);
  return resultView(value as Result);
}

/** Pairs of a name and a share between 0 and 1, whether they come as an object or as a list. */
function asProbabilities(value: unknown): [string, number][] | null {
  const pairs: unknown[] = Array.isArray(value) ? value : Object.entries(value as object);
  if (pairs.length === 0) return null;
  const all = pairs.every(
    (pair) => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string" && typeof pair[1] === "number" && pair[1] >= 0 && pair[1] <= 1,
  );
  return all ? (pairs as [string, number][]) : null;
}

function bars(pairs: readonly [string, number][]): HTMLElement {
  const highest = [...pairs].sort(([, one], [, other]) => other - one).slice(0, MAX_ITEMS);
  return h("ul", { class: "shares-list" }, ...highest.map(([name, share]) => h("li", {}, h("span", { class: "name" }, visible(name)), shareBar(share), h("span", { class: "number" }, decimal(share)))));
}

export function shareBar(share: number): SVGElement {
  return svg("svg", { class: "bar", "aria-hidden": "true" }, svg("rect", { class: "model", width: `${(100 * Math.max(share, 0.005)).toFixed(2)}%`, height: "100%", rx: 3 }));
}

/** A blank or line break that is a prediction must be seen. */
export function visible(text: string): string {
  return text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replace(/^ +$/, (blanks) => "␣".repeat(blanks.length));
}

function list(values: readonly unknown[]): Child {
  const short = values.slice(0, MAX_ITEMS);
  const rest = values.length > short.length ? ` … (${values.length})` : "";
  if (short.every((value) => typeof value !== "object" || value === null)) {
    return short.map((value) => (typeof value === "number" ? decimal(value) : String(value))).join(", ") + rest;
  }
  return h("ul", { class: "values" }, ...short.map((value) => h("li", {}, shown(value))), rest && h("li", {}, rest));
}
