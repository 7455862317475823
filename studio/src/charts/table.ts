/** The table that every chart has, folded away until it is asked for. */

import { h } from "../dom";
import { t } from "../messages/charts";

const MOST_ROWS = 500;

/** Of more than 500 rows every second, third, … is shown, which the caption says. */
export function chartTable(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  const every = Math.max(1, Math.ceil(rows.length / MOST_ROWS));
  const body = h("tbody");
  const details = h("details", { class: "chart-table" }, h("summary", {}, t("table")));
  const fill = (): void => {
    if (body.childElementCount) return;
    for (let place = 0; place < rows.length; place += every) {
      const [first = "", ...others] = rows[place] ?? [];
      body.append(h("tr", {}, h("th", { scope: "row" }, first), others.map((cell) => h("td", { class: "number" }, cell))));
    }
  };
  details.addEventListener("toggle", () => details.open && fill());
  const note = every > 1 ? ` ${t("everyRow", { n: every })}` : "";
  details.append(
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      h(
        "table",
        {},
        h("caption", { class: "note" }, caption + note),
        h("thead", {}, h("tr", {}, head.map((name, place) => h("th", { scope: "col", class: place ? "number" : false }, name)))),
        body,
      ),
    ),
  );
  return details;
}
