/** The same input for several runs: what each says, side by side. */

import { getExamples, predict } from "../../api/client";
import type { Asked, Input, RunDetails } from "../../api/types";
import { dropZone } from "../../components/dropzone";
import { errorBox, isAbort } from "../../components/error";
import { resultView } from "../../components/result";
import { h, replace, uniqueId } from "../../dom";
import { t } from "../../messages/compare";
import type { View } from "../../page";
import { session } from "../../session";

export function ask(view: View, runs: readonly RunDetails[]): HTMLElement {
  const kinds = new Set(runs.map((run) => run.input.kind));
  const kind = [...kinds][0];
  if (kinds.size !== 1 || kind === "none" || !runs.every((run) => run.can.predict)) return h("p", { class: "note" }, t("cannot_ask"));
  const status = h("p", { class: "note", role: "status" });
  const columns = runs.map((run) => ({ run, place: h("div") }));
  const answers = h("div", { class: "columns", hidden: true }, ...columns.map(({ run, place }) => h("section", { class: "answer" }, h("h3", {}, run.name), place)));
  const put = async (asked: Asked): Promise<void> => {
    answers.hidden = false;
    for (const { run, place } of columns) {
      status.textContent = t("asking", { name: run.name });
      try {
        const { results, notes } = await predict(run.id, asked, {}, view.signal);
        replace(place, ...results.map(resultView), ...notes.map((note) => h("p", { class: "note", lang: "en" }, note)));
      } catch (error) {
        if (isAbort(error)) return;
        replace(place, errorBox(error));
      }
    }
    status.textContent = "";
  };
  const typed = kind === "text" || kind === "series";
  const example = firstExample(runs[0] as RunDetails, view.signal);
  return h(
    "div",
    {},
    h("p", { class: "note" }, t("ask_note")),
    typed ? textForm(view, example, put) : fileForm(view, example, put),
    status,
    answers,
  );
}

/** An input of the run's own data; null where there is none that a page could show. */
async function firstExample(run: RunDetails, signal: AbortSignal): Promise<Input | null> {
  try {
    return (await getExamples(run.id, signal)).examples[0] ?? null;
  } catch {
    return null; // the data may be gone, and the field is left empty
  }
}

function textForm(view: View, example: Promise<Input | null>, put: (asked: Asked) => Promise<void>): HTMLElement {
  const id = uniqueId("input");
  const area = h("textarea", { id, rows: 3, "aria-describedby": `${id}-help` });
  area.value = view.query["input"] ?? "";
  if (area.value === "") {
    void example.then((found) => {
      if (area.value === "") area.value = exampleText(found);
    });
  }
  const submit = (event: Event): void => {
    event.preventDefault();
    view.setQuery({ input: area.value });
    void put({ inputs: area.value.split("\n").filter((line) => line.trim() !== "") });
  };
  return h(
    "form",
    { on: { submit } },
    h("label", { for: id }, t("input")),
    area,
    h("p", { class: "note", id: `${id}-help` }, t("input_number")),
    h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, t("send"))),
  );
}

function exampleText(example: Input | null): string {
  if (typeof example === "string") return example.replaceAll("\n", " ");
  if (!Array.isArray(example)) return "";
  return (example as readonly unknown[]).map((step) => (Array.isArray(step) ? step.join(",") : String(step))).join(" ");
}

function fileForm(view: View, example: Promise<Input | null>, put: (asked: Asked) => Promise<void>): HTMLElement {
  const chosen = h("p", { class: "note" });
  const zone = dropZone({ label: t("file"), limit: session().upload_limit, signal: view.signal }, (upload) => {
    chosen.textContent = t("with_file", { name: upload.name });
    void put({ upload: upload.id });
  });
  const take = h("button", { type: "button", hidden: true }, t("example"));
  void example.then((found) => {
    take.hidden = found === null;
    take.addEventListener("click", () => {
      chosen.textContent = t("with_file", { name: t("example") });
      if (found !== null) void put({ inputs: [found] });
    });
  });
  return h("div", {}, zone, h("div", { class: "actions" }, take), chosen);
}
