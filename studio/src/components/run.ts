/** What several pages show of a run: its state, its result, whether that beats the best baseline. */

import type { Headline, Run } from "../api/types";
import { h, type Child } from "../dom";
import { decimal } from "../i18n";
import { t } from "../messages/runs";
import { stateName } from "../messages/tasks";
import { href } from "../router";

export function stateBadge(run: Run): HTMLElement {
  return h("span", { class: `badge ${run.state}` }, stateName(run.state));
}

export function runPath(id: string): string {
  return `/runs/${encodeURIComponent(id)}`;
}

export function runLink(run: Run): HTMLElement {
  return h("a", { href: href(runPath(run.id)) }, run.name);
}

/** Whether the model is better than its best baseline; null where there is nothing to compare. */
export function beatsBaseline(run: Run): boolean | null {
  if (run.headline === null || run.baseline === null) return null;
  const difference = run.headline.value - run.baseline.value;
  return run.headline.better === "lower" ? difference < 0 : difference > 0;
}

/** Of metrics that begin at zero, how long bars are, as shares of the longest; null where a value is below zero. */
export function barShares(values: readonly (number | null | undefined)[]): (number | null)[] {
  const known = values.filter((value): value is number => typeof value === "number");
  const longest = Math.max(...known, 0);
  if (longest === 0 || known.some((value) => value < 0)) return values.map(() => null);
  return values.map((value) => (typeof value === "number" ? value / longest : null));
}

export function figure(value: { text?: string; value: number }): string {
  return value.text ?? decimal(value.value);
}

/** The result with a mark that says, in words too, how it is beside the baseline. */
export function result(run: Run): Child {
  if (run.headline === null) return "–";
  const beats = beatsBaseline(run);
  const mark = beats === null ? null : h("span", { class: beats ? "mark good" : "mark bad", title: t(beats ? "better" : "worse") }, beats ? "✓" : "✗");
  const words = beats === null ? null : h("span", { class: "visually-hidden" }, t(beats ? "better" : "worse"));
  return h("span", { class: "result" }, h("strong", {}, figure(run.headline)), mark && h("span", { "aria-hidden": "true" }, mark), words, unit(run.headline));
}

function unit(headline: Headline): HTMLElement {
  return h("small", { lang: "en" }, headline.title);
}
