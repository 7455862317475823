/** Parts of a text shaded by what each added, orange for what added and blue for what took, and the same as bars with errors. */

import { h, svg } from "../dom";
import { decimal } from "../i18n";
import { t } from "../messages/charts";
import { chartTable } from "./table";

export interface Part {
  text: string;
  start: number;
  end: number;
  share: number;
  error?: number;
}

const BARS_SHOWN = 12;

export function visible(text: string): string {
  return text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replace(/^ +$/, (blanks) => "␣".repeat(blanks.length));
}

/** Characters as people count them, where `start` and `end` count code points as Python does. */
function slice(letters: readonly string[], from: number, to: number): string {
  return letters.slice(from, to).join("");
}

/** Colour an element by a share of the largest; the text keeps its contrast, since at most half of the colour is mixed in. */
export function shade(element: HTMLElement, share: number, top: number): void {
  const strength = top > 0 ? Math.min(1, Math.abs(share) / top) : 0;
  if (strength > 0.02) element.style.background = `color-mix(in srgb, var(${share < 0 ? "--train" : "--held"}) ${(strength * 45).toFixed(0)}%, transparent)`;
}

/** The text with its parts shaded; a part may be chosen, by click or Enter. */
export function shadedText(text: string, parts: readonly Part[], pick?: (place: number) => void): HTMLElement {
  const letters = Array.from(text);
  const top = Math.max(0, ...parts.map((part) => Math.abs(part.share)));
  const shown = h("p", { class: "shares", dir: "auto" });
  let read = 0;
  for (const [place, part] of parts.entries()) {
    if (part.start < read) continue;
    if (part.start > read) shown.append(slice(letters, read, part.start));
    const label = `${visible(part.text)}: ${signed(part.share)}${part.error === undefined ? "" : ` ± ${decimal(part.error)}`}`;
    const word = slice(letters, part.start, part.end);
    const element = pick
      ? h("button", { type: "button", class: "share", title: label, on: { click: () => pick(place) } }, word)
      : h("span", { class: "share", title: label }, word);
    shade(element, part.share, top);
    shown.append(element);
    read = part.end;
  }
  shown.append(slice(letters, read, letters.length));
  return shown;
}

export function signed(value: number): string {
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${decimal(Math.abs(value))}`;
}

/** The parts with the largest shares as bars from a middle line, each with its standard error. */
export function shareBars(title: string, parts: readonly Part[]): HTMLElement {
  const ranked = [...parts].sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
  const reach = Math.max(1e-12, ...parts.map((part) => Math.abs(part.share) + (part.error ?? 0)));
  const rows = ranked.slice(0, BARS_SHOWN).map((part) => h("li", {}, h("span", { class: "bar-name", dir: "auto" }, visible(part.text)), bar(part, reach), h("span", { class: "bar-value" }, signed(part.share))));
  const cells = ranked.map((part) => [visible(part.text), signed(part.share), ...(part.error === undefined ? [] : [decimal(part.error)])]);
  const hasErrors = parts.some((part) => part.error !== undefined);
  const head = [t("part"), t("share"), ...(hasErrors ? [t("error")] : [])];
  return h("figure", { class: "chart-figure" }, h("figcaption", {}, h("h3", {}, title)), h("ol", { class: "bars" }, rows), chartTable(title, head, cells));
}

function bar(part: Part, reach: number): SVGElement {
  const end = 50 + (50 * part.share) / reach;
  const error = (50 * (part.error ?? 0)) / reach;
  return svg(
    "svg",
    { class: "share-bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("line", { class: "axis", x1: 50, x2: 50, y1: 0, y2: 10 }),
    svg("rect", { class: part.share < 0 ? "negative" : "positive", x: Math.min(50, end), width: Math.abs(end - 50), y: 1, height: 8 }),
    error > 0 && svg("line", { class: "error", x1: end - error, x2: end + error, y1: 5, y2: 5 }),
  );
}
