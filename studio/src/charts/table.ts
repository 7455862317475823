/** The numbers behind a chart, folded away until they are asked for. */

import { plainTable } from "../components/table";
import { h } from "../dom";
import { t } from "../messages/charts";
import { t as shell } from "../messages/shell";

const MOST_ROWS = 500;

/** Of more than 500 rows every second, third, … is shown, which is said. */
export function chartTable(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  const every = Math.max(1, Math.ceil(rows.length / MOST_ROWS));
  const details = h("details", {}, h("summary", {}, shell("show_table")), every > 1 && h("p", { class: "note" }, t("everyRow", { n: every })));
  const fill = (): void => details.append(plainTable(caption, head, rows.filter((_, place) => place % every === 0)));
  details.addEventListener("toggle", fill, { once: true });
  return details;
}
