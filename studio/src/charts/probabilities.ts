/** Probabilities as bars that move from one answer to the next; those of next units can be taken into the text. */

import { h } from "../dom";
import { t } from "../messages/charts";
import { visible } from "./shares";

export class Probabilities {
  readonly element: HTMLElement;
  private readonly list: HTMLElement;
  private readonly rows = new Map<string, { row: HTMLElement; fill: HTMLElement; value: HTMLElement; name: HTMLElement }>();

  /** take: what a click on a unit does, where there is anything to do. */
  constructor(
    title: string,
    private readonly take?: (unit: string) => void,
  ) {
    this.list = h("ol", { class: "probabilities" });
    this.element = h("figure", { class: "chart-figure" }, h("figcaption", {}, h("h3", {}, title)), this.list);
  }

  show(found: readonly (readonly [name: string, share: number])[]): void {
    const gone = new Set(this.rows.keys());
    for (const [name, share] of found) {
      gone.delete(name);
      const { row, fill, value, name: label } = this.row(name);
      const text = percent(share);
      fill.style.width = `${(share * 100).toFixed(2)}%`;
      value.textContent = text;
      if (this.take) label.setAttribute("aria-label", t("addUnit", { unit: visible(name), share: text }));
      this.list.append(row);
    }
    for (const name of gone) {
      this.rows.get(name)?.row.remove();
      this.rows.delete(name);
    }
  }

  /** A row keeps its element from one answer to the next, so that its bar moves; only its place in the list changes. */
  private row(name: string): { row: HTMLElement; fill: HTMLElement; value: HTMLElement; name: HTMLElement } {
    const known = this.rows.get(name);
    if (known) return known;
    const fill = h("span", { class: "fill" });
    const value = h("span", { class: "bar-value" });
    const { take } = this;
    const label = take
      ? h("button", { type: "button", class: "bar-name", on: { click: () => take(name) } }, visible(name))
      : h("span", { class: "bar-name", dir: "auto" }, visible(name));
    const made = { row: h("li", {}, label, h("span", { class: "track" }, fill), value), fill, value, name: label };
    this.rows.set(name, made);
    return made;
  }
}

export function percent(share: number): string {
  return share > 0 && share < 0.001 ? "< 0.1 %" : `${(share * 100).toFixed(1)} %`;
}
