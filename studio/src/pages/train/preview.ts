/** The first rows or lines of a file, what would be read as what, and what is to be known of it. */

import type { Upload } from "../../api/types";
import { scrollable } from "../../components/table";
import { h, type Child } from "../../dom";
import { bytes } from "../../i18n";
import { t } from "../../messages/train";

export function preview(upload: Upload, action: HTMLElement): HTMLElement {
  const { notes } = upload.preview;
  return h(
    "div",
    { class: "card source" },
    h("div", { class: "title" }, h("h3", {}, upload.name), h("span", { class: "note" }, [bytes(upload.bytes), count(upload)].filter(Boolean).join(" · "))),
    content(upload),
    notes.length > 0 && h("div", { class: "notes" }, h("p", {}, h("strong", {}, t("warnings"))), h("ul", { lang: "en" }, ...notes.map((note) => h("li", {}, note)))),
    h("div", { class: "actions" }, action),
  );
}

function count({ preview: { kind, count: n, count_is_exact: exact } }: Upload): string {
  if (n === null) return "";
  if (kind === "table" || kind === "series") return t(exact ? "rows" : "rows_at_least", { n });
  return t(exact ? "lines" : "lines_at_least", { n });
}

function content(upload: Upload): Child {
  const { columns, rows, lines } = upload.preview;
  if (rows.length > 0) return [scrollable(t("preview", { name: upload.name }), rowsTable(upload)), h("p", { class: "note" }, t("shown_rows", { n: rows.length }))];
  if (lines.length > 0) return [h("pre", { class: "lines" }, lines.join("\n")), h("p", { class: "note" }, t("shown_rows", { n: lines.length }))];
  if (columns.length > 0) return h("ul", {}, ...columns.map((column) => h("li", {}, `${column.name} (${t(`type_${column.type}`)})`)));
  return h("p", { class: "note" }, t("no_preview"));
}

function rowsTable({ name, preview: { columns, rows } }: Upload): HTMLElement {
  const numeric = columns.map((column) => column.type === "number");
  return h(
    "table",
    { class: "rows" },
    h("caption", { class: "visually-hidden" }, t("preview", { name })),
    h(
      "thead",
      {},
      h("tr", {}, ...columns.map((column, place) => h("th", { scope: "col", class: numeric[place] ? "number" : null }, column.name, h("small", {}, t(`type_${column.type}`))))),
    ),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell, place) => h("td", { class: numeric[place] ? "number" : null }, cell === null ? "" : String(cell)))))),
  );
}
