/** Where the data come from: files that are dropped, or a data set by its name. */

import type { Dataset, Upload } from "../../api/types";
import { dropZone } from "../../components/dropzone";
import { h, replace, uniqueId } from "../../dom";
import { bytes } from "../../i18n";
import { taskTitle } from "../../messages/tasks";
import { t } from "../../messages/train";
import { session } from "../../session";
import { preview } from "./preview";

export type Source = { uploads: Upload[] } | { dataset: Dataset } | null;

const KEPT = "recurra.uploads";

/** Uploads of this window: a change of language or a reload finds them again, as long as the studio runs. */
export function keptUploads(): Upload[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "[]") as Upload[];
  } catch {
    return [];
  }
}

function keep(uploads: readonly Upload[]): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(uploads));
  } catch {
    return; // storage is switched off: the uploads are known until the page is left
  }
}

export function sourceForm(source: Source, datasets: readonly Dataset[], signal: AbortSignal, chosen: (source: Source) => void): HTMLElement {
  const element = h("div");
  const choose = (next: Source): void => {
    keep(next !== null && "uploads" in next ? next.uploads : []);
    draw(next);
    chosen(next);
  };
  const draw = (now: Source): void => {
    if (now === null) replace(element, empty(datasets, signal, choose));
    else if ("dataset" in now) replace(element, datasetCard(now.dataset, choose));
    else replace(element, uploadsCard(now.uploads, signal, choose));
  };
  draw(source);
  return element;
}

function empty(datasets: readonly Dataset[], signal: AbortSignal, choose: (source: Source) => void): HTMLElement {
  const id = uniqueId("dataset");
  const sorted = [...datasets].sort((one, other) => Number(other.here) - Number(one.here) || one.title.localeCompare(other.title));
  const select = h("select", { id }, h("option", { value: "" }, t("no_dataset")), ...sorted.map((one) => h("option", { value: one.name }, `${one.title} – ${taskTitle(one.task)} (${where(one)})`)));
  select.addEventListener("change", () => {
    const found = datasets.find((one) => one.name === select.value);
    if (found !== undefined) choose({ dataset: found });
  });
  const zone = dropZone({ label: t("drop"), limit: session().upload_limit, signal, several: true }, addTo([], choose));
  return h("div", {}, zone, h("div", { class: "field" }, h("label", { for: id }, t("or_dataset")), select));
}

/** Hand on each file with those before it: several that were dropped together come one after another. */
function addTo(uploads: readonly Upload[], choose: (source: Source) => void): (upload: Upload) => void {
  let all = [...uploads];
  return (upload) => {
    all = [...all, upload];
    choose({ uploads: all });
  };
}

function where(one: Dataset): string {
  if (one.here) return t("here");
  return one.bytes === null ? t("download_unknown") : t("download", { size: bytes(one.bytes) });
}

function datasetCard(dataset: Dataset, choose: (source: Source) => void): HTMLElement {
  return h(
    "div",
    { class: "card source" },
    h("h3", { lang: "en" }, dataset.title),
    h("p", { class: "note" }, `${where(dataset)}. `, h("span", { lang: "en" }, t("dataset_line", { about: dataset.about, licence: dataset.licence }))),
    h("button", { type: "button", on: { click: () => choose(null) } }, t("other_data")),
  );
}

function uploadsCard(uploads: readonly Upload[], signal: AbortSignal, choose: (source: Source) => void): HTMLElement {
  const rest = (upload: Upload): Upload[] => uploads.filter((one) => one.id !== upload.id);
  return h(
    "div",
    {},
    ...uploads.map((upload) => {
      const remove = (): void => choose(rest(upload).length > 0 ? { uploads: rest(upload) } : null);
      return preview(upload, h("button", { type: "button", on: { click: remove } }, t("forget", { name: upload.name })));
    }),
    h("details", {}, h("summary", {}, t("more_files")), dropZone({ label: t("drop"), limit: session().upload_limit, signal, several: true }, addTo(uploads, choose))),
  );
}
