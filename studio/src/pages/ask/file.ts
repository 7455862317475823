/** A file that is chosen or dropped, and sent. */

import { upload } from "../../api/client";
import type { Upload } from "../../api/types";
import { toastError } from "../../components/toast";
import { h } from "../../dom";
import { t } from "../../messages/ask";

export interface SentFile {
  file: File;
  upload: Upload;
}

export function fileInput(signal: AbortSignal, sent: (found: SentFile) => void, accept?: string): HTMLElement {
  const status = h("span", { class: "note", role: "status" });
  const input = h("input", { type: "file", class: "visually-hidden", accept });
  const label = h("label", { class: "button" }, t("file"), input);
  const box = h("div", { class: "file-drop" }, label, h("span", { class: "note" }, t("drop")), status);
  const send = async (file: File): Promise<void> => {
    try {
      sent({ file, upload: await upload(file, (share) => (status.textContent = t("sent", { name: file.name, share: `${Math.round(share * 100)} %` })), signal) });
      status.textContent = t("using", { name: file.name });
    } catch (error) {
      status.textContent = "";
      toastError(error);
    }
  };
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    input.value = "";
    if (file) void send(file);
  });
  box.addEventListener("dragover", (event) => {
    event.preventDefault();
    box.classList.add("over");
  });
  box.addEventListener("dragleave", () => box.classList.remove("over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    box.classList.remove("over");
    const file = event.dataTransfer?.files[0];
    if (file) void send(file);
  });
  return box;
}
