import { ApiError, ConnectionError } from "../api/client";
import { h } from "../dom";
import { t } from "../messages/shell";

/** Word an error for people: the server's sentence, which is in English, or why there is none. */
export function describeError(error: unknown): { text: string; english: boolean } {
  if (error instanceof ApiError) return { text: error.message, english: true };
  if (error instanceof ConnectionError) return { text: t("unreachable"), english: false };
  return { text: error instanceof Error ? error.message : String(error), english: true };
}

/** An error in the place of what could not be drawn. */
export function errorBox(error: unknown, retry?: () => void): HTMLElement {
  const { text, english } = describeError(error);
  return h(
    "div",
    { class: "error-box", role: "alert" },
    h("p", { class: "error-title" }, t("failed")),
    h("p", { lang: english ? "en" : null }, text),
    retry && h("button", { type: "button", on: { click: retry } }, t("retry")),
  );
}

/** Whether something only ended because its page was left. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
