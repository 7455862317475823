/** A table that is sorted by its headers, which are buttons: with the keyboard as with a mouse. */

import { h, replace, type Child } from "../dom";

export interface Column<Row> {
  key: string;
  title: string;
  number?: boolean;
  /** What rows are sorted by; left out: not sorted. null comes last, whichever way. */
  value?: (row: Row) => string | number | null;
  cell: (row: Row) => Child;
  /** Heads its row, for screen readers. */
  heads?: boolean;
}

export interface Sorting {
  key: string;
  descending: boolean;
}

export interface TableOptions<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  sorting?: Sorting;
  onSort?: (sorting: Sorting) => void;
  /** For the style sheet. */
  rowClass?: (row: Row) => string | null;
}

/** Give the table in a region that scrolls sideways by itself where the window is narrow. */
export function table<Row>(options: TableOptions<Row>): HTMLElement {
  let sorting = options.sorting ?? null;
  const body = h("tbody");
  const head = h("tr");
  const draw = (): void => {
    replace(head, ...options.columns.map((column) => header(column, sorting, choose)));
    replace(body, ...sorted(options, sorting).map((row) => line(options, row)));
  };
  const choose = (key: string): void => {
    sorting = { key, descending: sorting?.key === key ? !sorting.descending : false };
    draw();
    head.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"] button`)?.focus();
    options.onSort?.(sorting);
  };
  draw();
  const caption = h("caption", { class: "visually-hidden" }, options.caption);
  return scrollable(options.caption, h("table", {}, caption, h("thead", {}, head), body));
}

/** What may be wider than the window, in a region that the keyboard can scroll. */
export function scrollable(label: string, ...children: Child[]): HTMLElement {
  return h("div", { class: "scroll", role: "region", "aria-label": label, tabindex: 0 }, ...children);
}

function header<Row>(column: Column<Row>, sorting: Sorting | null, choose: (key: string) => void): HTMLElement {
  const number = column.number ? "number" : null;
  if (column.value === undefined) return h("th", { scope: "col", class: number }, column.title);
  const down = sorting?.key === column.key ? sorting.descending : null;
  const direction = down === null ? "none" : down ? "descending" : "ascending";
  const mark = h("span", { class: "sort-mark", "aria-hidden": "true" }, down === null ? "" : down ? "▾" : "▴");
  return h(
    "th",
    { scope: "col", class: number, "aria-sort": direction, "data-key": column.key },
    h("button", { type: "button", class: "sort", on: { click: () => choose(column.key) } }, column.title, mark),
  );
}

function line<Row>(options: TableOptions<Row>, row: Row): HTMLElement {
  return h(
    "tr",
    { class: options.rowClass?.(row) ?? null },
    ...options.columns.map((column) =>
      column.heads
        ? h("th", { scope: "row", class: column.number ? "number" : null }, column.cell(row))
        : h("td", { class: column.number ? "number" : null }, column.cell(row)),
    ),
  );
}

function sorted<Row>(options: TableOptions<Row>, sorting: Sorting | null): Row[] {
  const rows = [...options.rows];
  const value = options.columns.find((column) => column.key === sorting?.key)?.value;
  if (sorting === null || value === undefined) return rows;
  const order = new Intl.Collator(undefined, { numeric: true });
  const sign = sorting.descending ? -1 : 1;
  return rows.sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    return sign * (typeof a === "number" && typeof b === "number" ? a - b : order.compare(String(a), String(b)));
  });
}

/** A plain table of two or more columns, for the numbers behind a chart. */
export function plainTable(caption: string, columns: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  return scrollable(
    caption,
    h(
      "table",
      { class: "plain" },
      h("caption", { class: "visually-hidden" }, caption),
      h("thead", {}, h("tr", {}, ...columns.map((name, place) => h("th", { scope: "col", class: place > 0 ? "number" : null }, name)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell, place) => cellOf(cell, place))))),
    ),
  );
}

function cellOf(cell: Child, place: number): HTMLElement {
  return place === 0 ? h("th", { scope: "row" }, cell) : h("td", { class: "number" }, cell);
}

export function sortingFrom(text: string | undefined, otherwise: Sorting): Sorting {
  if (!text) return otherwise;
  return { key: text.replace(/^-/, ""), descending: text.startsWith("-") };
}

export function sortingText(sorting: Sorting): string {
  return `${sorting.descending ? "-" : ""}${sorting.key}`;
}
