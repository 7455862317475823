/** Where a file is dropped or chosen; it is sent at once, with its progress. */

import { upload } from "../api/client";
import type { Upload } from "../api/types";
import { h, replace, uniqueId } from "../dom";
import { bytes } from "../i18n";
import { t } from "../messages/form";
import { isAbort } from "./error";
import { toast, toastError } from "./toast";

export interface DropZoneOptions {
  label: string;
  limit: number;
  signal: AbortSignal;
  /** File types for the chooser: ".wav,audio/*". */
  accept?: string;
  /** Take several files: each is sent, and handed on by itself. */
  several?: boolean;
}

export function dropZone(options: DropZoneOptions, uploaded: (upload: Upload) => void): HTMLElement {
  const id = uniqueId("file");
  const input = h("input", { id, type: "file", class: "visually-hidden", accept: options.accept, multiple: options.several === true });
  const status = h("p", { class: "note", role: "status" });
  const label = h("label", { for: id }, h("span", { class: "button primary" }, t("choose_file")), h("span", {}, t("drop_here")));
  const zone = h("div", { class: "drop-zone" }, h("p", { class: "drop-title" }, options.label), input, label, status);
  const send = async (files: FileList | null): Promise<void> => {
    for (const file of [...(files ?? [])].slice(0, options.several ? undefined : 1)) {
      const received = await sendFile(file, options, status);
      if (received !== null) uploaded(received);
    }
    input.value = "";
  };
  input.addEventListener("change", () => void send(input.files));
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    void send(event.dataTransfer?.files ?? null);
  });
  return zone;
}

async function sendFile(file: File, options: DropZoneOptions, status: HTMLElement): Promise<Upload | null> {
  if (file.size > options.limit) {
    toast(t("too_large", { name: file.name, size: bytes(file.size), limit: bytes(options.limit) }), "error");
    return null;
  }
  const bar = h("progress", { max: 1, value: 0, "aria-hidden": "true" });
  const words = h("span");
  replace(status, words, bar);
  const show = (share: number): void => {
    bar.value = share;
    words.textContent =
      share < 1 ? t("sending", { name: file.name, percent: Math.round(share * 100) }) : t("reading", { name: file.name });
  };
  show(0);
  try {
    return await upload(file, show, options.signal);
  } catch (error) {
    if (!isAbort(error)) toastError(error);
    return null;
  } finally {
    replace(status);
  }
}
